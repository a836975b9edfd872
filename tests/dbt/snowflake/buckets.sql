select
        cast(mod(md5_number_upper64('salt|' || coalesce('v' || replace(cast(shop as varchar), '|', '||'), 'n') || '|' || coalesce('v' || replace(cast(visit as varchar), '|', '||'), 'n')), 100) as integer) as bucket,
        case
    when cast(mod(md5_number_upper64('|' || coalesce('v' || replace(cast(shop as varchar), '|', '||'), 'n')), 10000) as integer) < 2000 then 'test'
    when cast(mod(md5_number_upper64('|' || coalesce('v' || replace(cast(shop as varchar), '|', '||'), 'n')), 10000) as integer) < 3000 then 'validation'
    else 'train'
  end as part,
        case
    when as_of < ((cast('2024-07-01 00:00:00' as timestamp) - interval '1 week') - interval '30 days') and label_known_at <= ((cast('2024-07-01 00:00:00' as timestamp) - interval '1 week') - interval '30 days') then 'train'
    when
      as_of >= ((cast('2024-07-01 00:00:00' as timestamp) - interval '1 week') - interval '30 days') and as_of < (cast('2024-07-01 00:00:00' as timestamp) - interval '1 week') and label_known_at <= (cast('2024-07-01 00:00:00' as timestamp) - interval '1 week')
      then 'validation'
    when as_of >= (cast('2024-07-01 00:00:00' as timestamp) - interval '1 week') and as_of < cast('2024-07-01 00:00:00' as timestamp) and label_known_at <= cast('2024-07-01 00:00:00' as timestamp) then 'test'
  end as part_by_time,
        to_char(cast(max(asked_at) as timestamp_ntz), 'YYYY-MM-DD HH24:MI:SS.FF6') as newest
    from "lab"."main"."asked"
