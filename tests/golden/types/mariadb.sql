-- Every column type of MariaDB with its edge values.  make.sh runs this and keeps the binlog.
set time_zone = '+00:00', sql_mode = '';
create database g character set utf8mb4;
use g;
create table expected (tbl varchar(20), line longtext);
set session binlog_annotate_row_events = off;
create table ints (a tinyint, au tinyint unsigned, b smallint, bu smallint unsigned,
  c mediumint, cu mediumint unsigned, d int, du int unsigned, e bigint, eu bigint unsigned,
  y year, bo bool);
insert into ints values
  (-128, 255, -32768, 65535, -8388608, 16777215, -2147483648, 4294967295,
   -9223372036854775808, 18446744073709551615, 2155, 1),
  (127, 0, 32767, 0, 8388607, 0, 2147483647, 0, 9223372036854775807, 0, 1901, 0),
  (null, null, null, null, null, null, null, null, null, null, 0, null),
  (-1, 128, -1, 32768, -1, 8388608, -1, 2147483648, -1, 9223372036854775808, 1970, -1);
insert into expected select 'ints', concat_ws('|', ifnull(cast(a as char),'NULL'), ifnull(cast(au as char),'NULL'), ifnull(cast(b as char),'NULL'), ifnull(cast(bu as char),'NULL'), ifnull(cast(c as char),'NULL'), ifnull(cast(cu as char),'NULL'), ifnull(cast(d as char),'NULL'), ifnull(cast(du as char),'NULL'), ifnull(cast(e as char),'NULL'), ifnull(cast(eu as char),'NULL'), ifnull(cast(y as char),'NULL'), ifnull(cast(bo as char),'NULL')) from ints;
create table reals (f float, fu float unsigned, d double, du double unsigned, g float(7,3));
insert into reals values (-3.40282e38, 3.40282e38, -1.7976931348623157e308, 2.2250738585072014e-308, 1.5),
  (1.17549e-38, 0, 0.1, 1e300, -1234.567), (-0.5, 1, -0e0, 3, 0);
create table decimals (a decimal(65,0), b decimal(65,38), c decimal(10,2), d decimal(1,1),
  e decimal(18,9), f decimal(5,0) unsigned, g decimal(38,38));
insert into decimals values
  (repeat('9',65), concat(repeat('9',27),'.',repeat('9',38)), 99999999.99, 0.9, 123456789.987654321, 99999, 0.00000000000000000000000000000000000001),
  (concat('-',repeat('9',65)), concat('-',repeat('9',27),'.',repeat('9',38)), -0.01, -0.9, -1.000000001, 0, -0.1),
  (0, 0, 0, 0, 0, 1, 0), (-1, 1.5, 1000000000/100, 0.1, 0.000000001, 10, 0.1), (null, null, null, null, null, null, null);
insert into expected select 'decimals', concat_ws('|', ifnull(cast(a as char),'NULL'), ifnull(cast(b as char),'NULL'), ifnull(cast(c as char),'NULL'), ifnull(cast(d as char),'NULL'), ifnull(cast(e as char),'NULL'), ifnull(cast(f as char),'NULL'), ifnull(cast(g as char),'NULL')) from decimals;
create table times (d date, t0 time, t1 time(1), t2 time(2), t3 time(3), t4 time(4), t5 time(5), t6 time(6),
  dt0 datetime, dt1 datetime(1), dt3 datetime(3), dt6 datetime(6),
  ts0 timestamp null, ts2 timestamp(2) null, ts4 timestamp(4) null, ts6 timestamp(6) null);
insert into times values
  ('9999-12-31', '838:59:59', '838:59:59.9', '-838:59:59.99', '-00:00:00.001', '-00:00:01.0001', '-00:59:59.99999', '-838:59:59.999999',
   '9999-12-31 23:59:59', '9999-12-31 23:59:59.9', '1000-01-01 00:00:00.001', '9999-12-31 23:59:59.999999',
   '2038-01-19 03:14:07', '2038-01-19 03:14:07.99', '1970-01-01 00:00:01.0001', '2038-01-19 03:14:07.999999'),
  ('0000-00-00', '00:00:00', '-00:00:00.1', '00:00:00.01', '100:00:00.000', '-100:00:00.5', '00:00:00', '00:00:00.000001',
   '0000-00-00 00:00:00', '0000-00-00 00:00:00', '0000-00-00 00:00:00', '0000-00-00 00:00:00',
   '0000-00-00 00:00:00', '0000-00-00 00:00:00', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
  ('2024-02-29', '-00:00:01', '12:34:56.7', '12:34:56.78', '12:34:56.789', '12:34:56.7891', '12:34:56.78912', '12:34:56.789123',
   '2024-02-29 12:34:56', '2024-02-29 12:34:56.7', '2024-02-29 12:34:56.789', '2024-02-29 12:34:56.789123',
   '2000-02-29 12:34:56', '2000-02-29 12:34:56.78', '1999-12-31 23:59:59.9999', '2001-09-09 01:46:40.000001'),
  ('2024-00-00', null, null, null, null, null, null, null, '2024-01-00 00:00:00', null, null, null, null, null, null, null);
insert into expected select 'times', concat_ws('|', ifnull(cast(d as char),'NULL'), ifnull(cast(t0 as char),'NULL'), ifnull(cast(t1 as char),'NULL'), ifnull(cast(t2 as char),'NULL'), ifnull(cast(t3 as char),'NULL'), ifnull(cast(t4 as char),'NULL'), ifnull(cast(t5 as char),'NULL'), ifnull(cast(t6 as char),'NULL'), ifnull(cast(dt0 as char),'NULL'), ifnull(cast(dt1 as char),'NULL'), ifnull(cast(dt3 as char),'NULL'), ifnull(cast(dt6 as char),'NULL'), ifnull(cast(ts0 as char),'NULL'), ifnull(cast(ts2 as char),'NULL'), ifnull(cast(ts4 as char),'NULL'), ifnull(cast(ts6 as char),'NULL')) from times;
set global mysql56_temporal_format = off;
create table old_times (d date, t time, dt datetime, ts timestamp null);
insert into old_times values ('1000-01-01', '-838:59:59', '9999-12-31 23:59:59', '2038-01-19 03:14:07'),
  ('0000-00-00', '00:00:01', '0000-00-00 00:00:00', '0000-00-00 00:00:00'), (null, '838:59:59', '1000-01-02 03:04:05', '1970-01-01 00:00:01');
insert into expected select 'old_times', concat_ws('|', ifnull(cast(d as char),'NULL'), ifnull(cast(t as char),'NULL'), ifnull(cast(dt as char),'NULL'), ifnull(cast(ts as char),'NULL')) from old_times;
set global mysql56_temporal_format = on;
create table strings (c char(5), cu char(100), cl char(255) character set latin1, b binary(4), bb binary(255),
  v varchar(10), vl varchar(1000), vb varbinary(5), tb tinyblob, bl blob, mb mediumblob, lb longblob,
  tt tinytext, tx text, mt mediumtext, lt longtext, j json);
insert into strings values
  ('ab  ', 'grün', 'caf\u00e9', x'00ff0000', x'01', 'x ', repeat('y', 300), x'00', x'00ff', 'blob', repeat('m', 300), 'long', 'tiny', 'text', 'medium', 'longtext', '{"a": 1}'),
  ('', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '[]'),
  (null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null),
  ('\'\\', '😀', 'x', x'61626300', repeat('z', 255), '\0', '\n', x'ffff000000', repeat('t', 255), x'', '', '', repeat('t', 255), '日本', '', '', '""');
insert into expected select 'strings', concat_ws('|', ifnull(hex(c),'NULL'), ifnull(hex(cu),'NULL'), ifnull(hex(cl),'NULL'), ifnull(hex(b),'NULL'), ifnull(hex(bb),'NULL'), ifnull(hex(v),'NULL'), ifnull(hex(vl),'NULL'), ifnull(hex(vb),'NULL'), ifnull(hex(tb),'NULL'), ifnull(hex(bl),'NULL'), ifnull(hex(mb),'NULL'), ifnull(hex(lb),'NULL'), ifnull(hex(tt),'NULL'), ifnull(hex(tx),'NULL'), ifnull(hex(mt),'NULL'), ifnull(hex(lt),'NULL'), ifnull(hex(j),'NULL')) from strings;
create table sets (e enum('a','b','c'), s set('a','b','c'), b1 bit(1), b8 bit(8), b12 bit(12), b64 bit(64));
insert into sets values ('a', 'a,c', b'1', b'10101010', b'100000000001', x'ffffffffffffffff'),
  ('', '', b'0', b'0', b'0', b'0'), (null, null, null, null, null, null), ('c', 'a,b,c', b'1', 255, 4095, 1);
insert into expected select 'sets', concat_ws('|', ifnull(cast(e+0 as char),'NULL'), ifnull(cast(s+0 as char),'NULL'), ifnull(cast(b1+0 as char),'NULL'), ifnull(cast(b8+0 as char),'NULL'), ifnull(cast(b12+0 as char),'NULL'), ifnull(cast(b64+0 as char),'NULL')) from sets;
set @q = (select concat('create table wide_sets (e enum(', group_concat(concat("'v", seq, "'") order by seq), "), s set('s1'", (select group_concat(concat(",'s", seq, "'") order by seq separator '') from seq_2_to_64), '))') from seq_1_to_300);
set statement group_concat_max_len = 100000 for execute immediate @q;
insert into wide_sets values ('v300', 's1,s64'), ('v1', 's33');
insert into expected select 'wide_sets', concat_ws('|', e+0, cast(s+0 as unsigned)) from wide_sets;
create table odd (u uuid, i4 inet4, i6 inet6, g geometry, p point not null, cv varchar(100) compressed, cb blob compressed, ct text compressed);
insert into odd values
  ('123e4567-e89b-12d3-a456-426614174000', '192.168.0.1', '2001:db8::ff00:42:8329', st_geomfromtext('LINESTRING(0 0,1 1)'), point(1, -2), repeat('abc', 30), repeat('x', 1000), 'short'),
  ('00000000-0000-0000-0000-000000000000', '0.0.0.0', '::', null, point(0, 0), '', '', ''),
  ('ffffffff-ffff-ffff-ffff-ffffffffffff', '255.255.255.255', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', null, point(0, 0), null, null, null),
  ('f47ac10b-58cc-4372-a567-0e02b2c3d479', null, '::1.0.0.0', null, point(0, 0), 'a', 'b', repeat('é', 200)),
  ('017f22e2-79b0-7cc3-98c4-dc0c0c07398f', null, 'fe80::', null, point(0, 0), null, null, null);
insert into expected select 'odd', concat_ws('|', ifnull(hex(cast(u as binary(16))),'NULL'), ifnull(hex(cast(i4 as binary(4))),'NULL'), ifnull(hex(cast(i6 as binary(16))),'NULL'), ifnull(hex(g),'NULL'), ifnull(hex(p),'NULL'), ifnull(hex(cv),'NULL'), ifnull(hex(cb),'NULL'), ifnull(hex(ct),'NULL')) from odd;
create table images (id int primary key, a varchar(20), b text, c int default 7);
insert into images values (1, 'one', 'text', 1), (2, 'two', 'text', 2), (3, 'three', null, 3);
update images set c = 10 where id = 1;
set session binlog_row_image = minimal;
update images set a = 'eins' where id = 1;
delete from images where id = 2;
insert into images (id) values (4);
set session binlog_row_image = noblob;
update images set c = 11 where id = 1;
delete from images where id = 3;
set session binlog_row_image = full;
create table seventeen (c1 int, c2 int, c3 int, c4 int, c5 int, c6 int, c7 int, c8 int, c9 int, c10 int, c11 int, c12 int, c13 int, c14 int, c15 int, c16 int, c17 int);
insert into seventeen values (1,null,3,null,5,null,7,null,9,null,11,null,13,null,15,null,17);
set global binlog_row_metadata = full;
create table meta (id int unsigned, name varchar(10) character set latin1, n2 varchar(10) character set utf8mb4, b binary(3), t text character set utf8mb4,
  y year, u decimal(5,2) unsigned, f float, vc varchar(9) compressed character set latin1, e enum('x','y') character set latin1, g geometry, n3 varbinary(4), bt bit(3), ts timestamp(2) null, i int invisible, primary key (id, name(3)));
insert into meta (id, name, n2, b, t, y, u, f, vc, e, g, n3, i) values (1, 'n', 'ü', x'010000', 't', 2000, 1.5, 2.5, 'c', 'y', null, x'00', -5);
set global binlog_row_metadata = no_log;
set global log_bin_compress = on, log_bin_compress_min_len = 10;
insert into seventeen select seq,seq,seq,seq,seq,seq,seq,seq,seq,seq,seq,seq,seq,seq,seq,seq,seq from seq_1_to_20;
update seventeen set c1 = c1 + 100 where c1 = 20;
delete from seventeen where c2 < 5;
create table a_compressed_statement (column_with_a_long_name int, another_column_with_a_long_name int, yet_another_column int);
set global log_bin_compress = off;
create table made as select 1 as one, 'x' as two;
xa start 'xa', 'b', 3; insert into images values (100, 'xa', null, 0); xa end 'xa', 'b', 3; xa prepare 'xa', 'b', 3; xa commit 'xa', 'b', 3;
xa start 'xb'; insert into images values (101, 'xb', null, 0); xa end 'xb'; xa prepare 'xb'; xa rollback 'xb';
xa start 'xc'; insert into images values (102, 'xc', null, 0); xa end 'xc'; xa commit 'xc' one phase;
set session binlog_alter_two_phase = on;
alter table seventeen add c18 int;
set session binlog_alter_two_phase = off;
create table stmt (id int auto_increment primary key, a varchar(10), r double) engine = myisam;
set session binlog_format = statement;
set @u = 'user'; insert into stmt (a, r) values (@u, rand()); insert into stmt (a) values (last_insert_id());
set session binlog_format = row;
begin; insert into images values (200, 'a', null, 0); savepoint s; insert into stmt (a) values ('m'); rollback to s; insert into images values (201, 'b', null, 0); commit;
set timestamp = 1700000000.123456, time_zone = 'SYSTEM';
drop table stmt;
