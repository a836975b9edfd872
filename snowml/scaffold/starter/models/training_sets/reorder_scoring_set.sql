-- The customers to predict: of the last week before the as_of var.
{{ snowml.scoring_set(
    spine=ref('customer_weeks'),
    features=[ref('order_features'), ref('last_order_features')],
    over='7 days'
) }}
