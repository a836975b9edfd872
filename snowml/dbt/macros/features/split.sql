{#
  Which part a row belongs to: 'train', 'validation', 'test', or NULL for none.

  By time, as `snowml train` divides a training set: `{{ snowml.split(validation='30 days', test='30 days') }}`. The windows
  lie before now (the var `as_of`), validation before test. A row whose label was not known when its window ended is in no
  part: whoever trained then could not have used it.

  By entity, so that all rows of one stay together: `{{ snowml.split(by='customer_id', validation=0.1, test=0.1) }}`, in
  shares of the entities. Another `salt` deals anew.
#}
{% macro split(validation, test, by='time', as_of='as_of', label_at='label_known_at', salt='') -%}
  {{ return(snowml._split_by_time(validation, test, as_of, label_at) if by == 'time'
    else snowml._split_by_entity(by, validation, test, salt)) }}
{%- endmacro %}


{% macro _split_by_time(validation, test, as_of, label_at) -%}
  {%- set end = snowml.as_of() -%}
  {%- set test_start = '(' ~ end ~ ' - ' ~ snowml._interval(test, 'split: test') ~ ')' -%}
  {%- set validation_start = '(' ~ test_start ~ ' - ' ~ snowml._interval(validation, 'split: validation') ~ ')' -%}
  case
    when {{ as_of }} < {{ validation_start }} and {{ label_at }} <= {{ validation_start }} then 'train'
    when
      {{ as_of }} >= {{ validation_start }} and {{ as_of }} < {{ test_start }} and {{ label_at }} <= {{ test_start }}
      then 'validation'
    when {{ as_of }} >= {{ test_start }} and {{ as_of }} < {{ end }} and {{ label_at }} <= {{ end }} then 'test'
  end
{%- endmacro %}


{% macro _split_by_entity(by, validation, test, salt) -%}
  {%- for name, share in {'validation': validation, 'test': test}.items() if not (share is number and 0 <= share < 1) -%}
    {{ exceptions.raise_compiler_error(
      "split: by " ~ by ~ ", " ~ name ~ " is a share from 0 to below 1, such as 0.1, and not '" ~ share ~ "'.") }}
  {%- endfor -%}
  {%- set place = snowml.bucket(by, 10000, salt) -%}
  case
    when {{ place }} < {{ (test * 10000) | round | int }} then 'test'
    when {{ place }} < {{ ((test + validation) * 10000) | round | int }} then 'validation'
    else 'train'
  end
{%- endmacro %}
