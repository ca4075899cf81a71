-- Every column type of MySQL with its edge values.  make.sh runs this and keeps the binlog.
set time_zone = '+00:00', sql_mode = '';
create database g character set utf8mb4;
use g;
create table expected (tbl varchar(20), line longtext);
create table ints (a tinyint, au tinyint unsigned, b smallint, bu smallint unsigned,
  c mediumint, cu mediumint unsigned, d int, du int unsigned, e bigint, eu bigint unsigned,
  y year, bo bool);
insert into ints values
  (-128, 255, -32768, 65535, -8388608, 16777215, -2147483648, 4294967295,
   -9223372036854775808, 18446744073709551615, 2155, 1),
  (127, 0, 32767, 0, 8388607, 0, 2147483647, 0, 9223372036854775807, 0, 1901, 0),
  (null, null, null, null, null, null, null, null, null, null, 0, null);
insert into expected select 'ints', concat_ws('|', ifnull(cast(a as char),'NULL'), ifnull(cast(au as char),'NULL'), ifnull(cast(b as char),'NULL'), ifnull(cast(bu as char),'NULL'), ifnull(cast(c as char),'NULL'), ifnull(cast(cu as char),'NULL'), ifnull(cast(d as char),'NULL'), ifnull(cast(du as char),'NULL'), ifnull(cast(e as char),'NULL'), ifnull(cast(eu as char),'NULL'), ifnull(cast(y as char),'NULL'), ifnull(cast(bo as char),'NULL')) from ints;
create table reals (f float, fu float unsigned, d double, du double unsigned);
insert into reals values (-3.40282e38, 3.40282e38, -1.7976931348623157e308, 2.2250738585072014e-308), (1.17549e-38, 0, 0.1, 1e300);
create table decimals (a decimal(65,0), b decimal(65,30), c decimal(10,2));
insert into decimals values (repeat('9',65), concat(repeat('9',35),'.',repeat('9',30)), 99999999.99),
  (concat('-',repeat('9',65)), concat('-',repeat('9',35),'.',repeat('9',30)), -0.01), (0, 0, null);
insert into expected select 'decimals', concat_ws('|', ifnull(cast(a as char),'NULL'), ifnull(cast(b as char),'NULL'), ifnull(cast(c as char),'NULL')) from decimals;
create table times (d date, t0 time, t3 time(3), t6 time(6), dt0 datetime, dt3 datetime(3), dt6 datetime(6), ts0 timestamp null, ts3 timestamp(3) null, ts6 timestamp(6) null);
insert into times values
  ('9999-12-31', '838:59:59', '-00:00:00.001', '-838:59:58.999999', '9999-12-31 23:59:59', '1000-01-01 00:00:00.001', '9999-12-31 23:59:59.499999', '2038-01-19 03:14:07', '2038-01-19 03:14:07.499', '1970-01-01 00:00:01.000001'),
  ('0000-00-00', '00:00:00', '00:00:00', '-00:00:00.000001', '0000-00-00', '0000-00-00', '0000-00-00', '0000-00-00', '0000-00-00', '0000-00-00');
insert into expected select 'times', concat_ws('|', ifnull(cast(d as char),'NULL'), ifnull(cast(t0 as char),'NULL'), ifnull(cast(t3 as char),'NULL'), ifnull(cast(t6 as char),'NULL'), ifnull(cast(dt0 as char),'NULL'), ifnull(cast(dt3 as char),'NULL'), ifnull(cast(dt6 as char),'NULL'), ifnull(cast(ts0 as char),'NULL'), ifnull(cast(ts3 as char),'NULL'), ifnull(cast(ts6 as char),'NULL')) from times;
create table strings (c char(5), cu char(100), b binary(4), v varchar(10), vl varchar(1000), vb varbinary(5), tb tinyblob, lt longtext, e enum('a','b'), s set('a','b','c'), b1 bit(1), b12 bit(12), b64 bit(64), g geometry, vc vector(3), u binary(16));
insert into strings values ('ab  ', 'grün', x'00ff0000', 'x ', repeat('y', 300), x'00', x'00ff', '😀', 'b', 'a,c', 1, 4095, x'ffffffffffffffff', st_geomfromtext('POINT(1 2)'), to_vector('[1,-2,3.5]'), uuid_to_bin('123e4567-e89b-12d3-a456-426614174000')),
  ('', '', '', '', '', '', '', '', '', '', 0, 0, 0, null, null, ''), (null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null);
insert into expected select 'strings', concat_ws('|', ifnull(hex(c),'NULL'), ifnull(hex(cu),'NULL'), ifnull(hex(b),'NULL'), ifnull(hex(v),'NULL'), ifnull(hex(vl),'NULL'), ifnull(hex(vb),'NULL'), ifnull(hex(tb),'NULL'), ifnull(hex(lt),'NULL'), ifnull(cast(e+0 as char),'NULL'), ifnull(cast(s+0 as char),'NULL'), ifnull(cast(b1+0 as char),'NULL'), ifnull(cast(b12+0 as char),'NULL'), ifnull(cast(b64+0 as char),'NULL'), ifnull(hex(g),'NULL'), ifnull(hex(vc),'NULL'), ifnull(hex(u),'NULL')) from strings;
create table js (id int primary key, j json, k json, v int);
insert into js values (1, '{"a": 1, "bb": [1, 2, {"c": null}], "t": true, "f": false, "s": "q\\"uo\\\\te\\n\\t\\b\\f\\r\\u0001\\u007f/ü😀"}', '[]', 1);
insert into js values (2, '-1', '0', 1), (3, '32768', '-32769', 1), (4, '2147483648', '-9223372036854775808', 1), (5, '18446744073709551615', '1.5', 1), (6, '"x"', 'null', 1), (7, 'true', '{}', 1), (8, null, '""', 1);
insert into js values (9, '[1e100, 1.0, -0.0, 0.1, 123456789012345680000, 1e-7, 1.7976931348623157e308, 5e-324, 100000, 1e15, 1e16, 1e17, 123456.789]', '[[[[[]]]]]', 1);
insert into js values (10, json_array(cast('2024-02-29' as date), cast('12:34:56.789' as time(3)), cast('-838:59:59' as time), cast('2024-02-29 12:34:56.000001' as datetime(6)), timestamp('2024-02-29 01:02:03'), cast(1.50 as decimal(10,2)), cast(-99999999999999999999.123456789 as decimal(40,9))), json_array(cast(x'00ff' as binary), st_geomfromtext('POINT(1 2)'), cast(2024 as year), b'101'), 1);
insert into js values (11, json_object('big', repeat('x', 70000), 'a', json_array(1, 2)), json_object('', 1, 'ü', 2), 1);
set @deep = concat(repeat('{"k": ', 90), '1', repeat('}', 90));
insert into js values (12, @deep, (select json_arrayagg(n) from (with recursive r as (select 1 n union all select n + 1 from r where n < 300) select n from r) x), 1);
insert into expected select 'js', concat_ws('|', ifnull(cast(id as char),'NULL'), ifnull(cast(j as char),'NULL'), ifnull(cast(k as char),'NULL'), ifnull(cast(v as char),'NULL')) from js;
set session binlog_row_value_options = partial_json;
create table pj (id int primary key, j json, k json, v int);
insert into pj values (1, '{"a": 1, "b": "a longer string to make replacing worth it", "arr": [1, 2, 3], "o": {"x": 1}}', '{"k": "another string of enough length for this"}', 1);
update pj set j = json_set(j, '$.a', 100) where id = 1;
insert into expected select 'pj', concat_ws('|', id, j, k, v) from pj;
update pj set j = json_set(j, '$.new', 'value', '$.b', 'short'), k = json_remove(k, '$.k') where id = 1;
insert into expected select 'pj', concat_ws('|', id, j, k, v) from pj;
update pj set j = json_array_insert(j, '$.arr[1]', 99), v = 2 where id = 1;
insert into expected select 'pj', concat_ws('|', id, j, k, v) from pj;
update pj set j = json_remove(j, '$.arr[0]', '$.o.x') where id = 1;
insert into expected select 'pj', concat_ws('|', id, j, k, v) from pj;
update pj set k = json_set(k, '$.z', 1), v = 3 where id = 1;
insert into expected select 'pj', concat_ws('|', id, j, k, v) from pj;
set session binlog_row_image = minimal;
update pj set j = json_replace(j, '$.a', 7) where id = 1;
insert into expected select 'pj', concat_ws('|', id, j, k, v) from pj;
update pj set k = json_set(k, '$.z', 2) where id = 1;
insert into expected select 'pj', concat_ws('|', id, j, k, v) from pj;
set session binlog_row_image = full, binlog_row_value_options = '';
create table images (id int primary key, a varchar(20), b text, c int default 7);
insert into images values (1, 'one', 'text', 1), (2, 'two', 'text', 2), (3, 'three', null, 3);
set session binlog_row_image = minimal;
update images set a = 'eins' where id = 1;
delete from images where id = 2;
insert into images (id) values (4);
set session binlog_row_image = noblob;
update images set c = 11 where id = 1;
delete from images where id = 3;
set session binlog_row_image = full;
set global binlog_row_metadata = full;
create table meta (id int unsigned, name varchar(10) character set latin1, n2 varchar(10) character set utf8mb4, b binary(3), t text character set utf8mb4,
  y year, u decimal(5,2) unsigned, f float, e enum('x','y') character set latin1, g geometry, n3 varbinary(4), bt bit(3), ts timestamp(2) null, i int invisible, vc vector(2), j json, primary key (id, name(3)));
insert into meta (id, name, n2, b, t, y, u, f, e, g, n3, i, vc, j) values (1, 'n', 'ü', x'010000', 't', 2000, 1.5, 2.5, 'y', null, x'00', -5, to_vector('[1,2]'), '1');
set global binlog_row_metadata = minimal;
set session binlog_transaction_compression = on;
begin; insert into images values (10, repeat('a', 20), repeat('b', 2000), 1); update images set c = 12 where id = 10; commit;
set session gtid_next = 'automatic:tag1'; insert into images values (11, 'tagged', null, 1); set session gtid_next = automatic;
set session binlog_transaction_compression = off;
create table made as select 1 as one, 'x' as two;
xa start 'xa', 'b', 3; insert into images values (100, 'xa', null, 0); xa end 'xa', 'b', 3; xa prepare 'xa', 'b', 3; xa commit 'xa', 'b', 3;
xa start 'xb'; insert into images values (101, 'xb', null, 0); xa end 'xb'; xa prepare 'xb'; xa rollback 'xb';
xa start 'xc'; insert into images values (102, 'xc', null, 0); xa end 'xc'; xa commit 'xc' one phase;
create table stmt (id int auto_increment primary key, a varchar(10), r double);
set session binlog_format = statement;
set @u = 'user'; insert into stmt (a, r) values (@u, rand()); insert into stmt (a) values (last_insert_id());
set session binlog_format = row;
begin; insert into images values (200, 'a', null, 0); savepoint s; insert into images values (202, 'c', null, 0); rollback to s; insert into images values (201, 'b', null, 0); commit;
set timestamp = 1700000000.123456, time_zone = 'SYSTEM', default_collation_for_utf8mb4 = utf8mb4_general_ci;
drop table stmt;
