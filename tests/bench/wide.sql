create table wide (id bigint unsigned auto_increment primary key, i1 int, i2 int unsigned not null, s1 smallint,
  t1 tinyint, m1 mediumint, b1 bigint, f1 float, d1 double, dec1 decimal(18,4), dec2 decimal(38,10), dt datetime(6),
  ts timestamp(3) null default null, da date, ti time(6), yr year, v1 varchar(64) character set utf8mb4,
  v2 varchar(255) character set utf8mb4, v3 varchar(1000) character set utf8mb4, c1 char(36) character set latin1,
  bin1 binary(16), vb varbinary(200), bl blob, tx text, js json, en enum('new','paid','shipped','returned'),
  se set('a','b','c','d'), bt bit(12), n1 int null, n2 varchar(50) null, key k1(i1), key k2(dt));
set sql_mode = '';
delimiter //
create procedure fill(n int, per int) begin
  declare k int default 0;
  while k < n do
    insert into wide (i1,i2,s1,t1,m1,b1,f1,d1,dec1,dec2,dt,ts,da,ti,yr,v1,v2,v3,c1,bin1,vb,bl,tx,js,en,se,bt,n1,n2)
    with recursive r as (select 1 i union all select i + 1 from r where i < per)
    select i*7,i*13,i%30000,i%120,i%8000000,i*1000003,i/3,i/7,i/100,i*12345.678901,'2024-01-01'+interval i second,
      '2024-01-01'+interval i second,'2024-01-01'+interval i%3000 day,sec_to_time(i%86400),2000+i%50,concat('name ',i),
      concat('user',i,'@example.com some more text here'),repeat(concat('lorem ',i,' ipsum '),8),
      '0123e456-89ab-cdef-0123-456789abcdef',left(sha2(i,256),16),repeat(left(sha2(i,256),16),5),
      repeat(left(sha2(i+1,256),16),6),repeat(concat('The quick brown fox ',i,'. '),8),
      concat('{"id": ',i,', "tags": ["a","b","c"], "price": ',i/100,', "nested": {"x": ',i,', "y": "str"}}'),
      1+i%4,i%16,i%4096,if(i%2,null,i),if(i%3,null,concat('n',i)) from r;
    set k = k + 1;
  end while;
end//
