begin;
  delete from target where true;
  insert into target ("SHOP", "AS_OF") select "SHOP", "AS_OF" from computed;
  commit;
