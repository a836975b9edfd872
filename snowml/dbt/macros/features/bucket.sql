{#
  A whole number from 0 to buckets - 1 that depends on nothing but the values: the same in DuckDB, in Snowflake and in
  Python (`snowml.bucket`), today and next year. For splits, samples and experiments by entity.

      where {{ snowml.bucket('customer_id', 100) }} < 10

  Columns are texts, whole numbers or booleans; cast others to a text yourself, since engines write them differently.
  NULL has a bucket of its own values, apart from every text. Another `salt` (letters, digits and _) deals anew.
#}
{% macro bucket(columns, buckets=100, salt='') -%}
  {%- if not (buckets is integer and buckets > 0) -%}
    {{ exceptions.raise_compiler_error("bucket: the number of buckets is '" ~ buckets ~ "'; give a whole number above 0.") }}
  {%- endif -%}
  {%- if not modules.re.match('^[A-Za-z0-9_]*$', salt) -%}
    {{ exceptions.raise_compiler_error("bucket: the salt is '" ~ salt ~ "'; it may have letters, digits and _.") }}
  {%- endif -%}
  {#- Each value is v and the value, with | doubled, or n for NULL: no two lists of values give one text. -#}
  {%- set parts = [] -%}
  {%- for column in snowml._listed(columns) -%}
    {%- do parts.append("coalesce('v' || replace(cast(" ~ column ~ " as varchar), '|', '||'), 'n')") -%}
  {%- endfor -%}
  {{ return(adapter.dispatch('_bucket_of_text', 'snowml')("'" ~ salt ~ "|' || " ~ parts | join(" || '|' || "), buckets)) }}
{%- endmacro %}


{% macro default___bucket_of_text(text, buckets) -%}
  cast(cast('0x' || substr(md5({{ text }}), 1, 16) as ubigint) % {{ buckets }} as integer)
{%- endmacro %}


{% macro snowflake___bucket_of_text(text, buckets) -%}
  cast(mod(md5_number_upper64({{ text }}), {{ buckets }}) as integer)
{%- endmacro %}
