-- Customers of whom it is known by the as_of var whether they ordered again.
{{ snowml.training_set(
    spine=ref('customer_weeks'),
    features=[ref('order_features'), ref('last_order_features')],
    label={'from': ref('reorders'), 'columns': 'reordered'}
) }}
