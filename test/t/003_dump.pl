# SPDX-License-Identifier: PostgreSQL
# pg_dump and pg_restore: the same definitions and rows, and indexes that work.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../perl";
use VecdbTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('dump');
$node->start;
create_data_functions($node);
$node->safe_psql('postgres', q{
	CREATE SCHEMA s;
	CREATE TABLE s.t (id int PRIMARY KEY, e vector(12), x vector, a vector(2)[]);
	INSERT INTO s.t SELECT i, clustered(i, 12), plain(i, 1 + i % 7), ARRAY[plain(i, 2)]::vector(2)[] FROM generate_series(1, 800) i;
	INSERT INTO s.t VALUES (0, NULL, '[1e-45,3.4028235e38,-0,0.1]', NULL);
	CREATE INDEX l2 ON s.t USING hnsw (e vector_l2_ops);
	CREATE INDEX ip ON s.t USING hnsw (e vector_ip_ops) WITH (m = 8, ef_construction = 40, precision = 8, layout = compact);
	CREATE INDEX part ON s.t USING hnsw ((x::vector(3)) vector_cosine_ops) WHERE vector_dims(x) = 3;
	CREATE INDEX bt ON s.t (x);
	CREATE TABLE s.p (id int, e vector(12)) PARTITION BY HASH (id);
	CREATE TABLE s.p0 PARTITION OF s.p FOR VALUES WITH (MODULUS 2, REMAINDER 0);
	CREATE TABLE s.p1 PARTITION OF s.p FOR VALUES WITH (MODULUS 2, REMAINDER 1);
	CREATE INDEX p_e ON s.p USING hnsw (e vector_l1_ops);
	INSERT INTO s.p SELECT id, e FROM s.t WHERE e IS NOT NULL;
	CREATE VIEW s.near AS SELECT id FROM s.t ORDER BY e <-> '[1,2,3,4,5,6,7,8,9,10,11,12]' LIMIT 5;
	CREATE MATERIALIZED VIEW s.m AS SELECT * FROM s.t;
	CREATE INDEX m_e ON s.m USING hnsw (e vector_cosine_ops);
	CREATE TABLE s.o (id int PRIMARY KEY, v vector(12), h halfvec(12), s sparsevec(12), b bit(12));
	INSERT INTO s.o SELECT id, e, e::halfvec, e::sparsevec, binary_quantize(e)::bit(12) FROM s.t WHERE e IS NOT NULL;
	INSERT INTO s.o VALUES (0, NULL, '[6e-8,65504,-0,0,0,0,0,0,0,0,0,0.1]', '{1:1e-45,12:3.4028235e38}/12', B'000000000001');
	CREATE INDEX o_v_ivf ON s.o USING ivf (v vector_l2_ops) WITH (quantizer = sq8, lists = 7);
	CREATE INDEX o_v_flat ON s.o USING ivfflat (v) WITH (lists = 5);
	CREATE INDEX o_h ON s.o USING hnsw (h halfvec_cosine_ops) WITH (m = 8);
	CREATE INDEX o_h_flat ON s.o USING ivfflat (h halfvec_ip_ops);
	CREATE INDEX o_half ON s.o USING ivf ((v::halfvec(12)) halfvec_l1_ops);
	CREATE INDEX o_s ON s.o USING hnsw (s sparsevec_l2_ops);
	CREATE INDEX o_b ON s.o USING hnsw (b bit_hamming_ops);
	CREATE INDEX o_b_flat ON s.o USING ivfflat (b bit_hamming_ops);
	CREATE INDEX o_bits ON s.o USING hnsw ((binary_quantize(v)::bit(12)) bit_jaccard_ops);
	CREATE INDEX o_sub ON s.o USING ivfflat ((subvector(v, 1, 6)::vector(6)) vector_cosine_ops) WHERE id > 10;
	CREATE INDEX o_bt ON s.o (h, s);
	SELECT vecdb.create_collection('s.made', 3);
	INSERT INTO s.made (embedding) VALUES ('[1,2,3]');
});
my $definitions = q{SELECT indexrelid::regclass, pg_get_indexdef(indexrelid), indisvalid FROM pg_index WHERE indrelid IN
	(SELECT oid FROM pg_class WHERE relnamespace = 's'::regnamespace) ORDER BY indexrelid::regclass::text COLLATE "C";
	SELECT * FROM s.t ORDER BY id; SELECT * FROM s.p ORDER BY id; SELECT * FROM s.o ORDER BY id; SELECT pg_get_viewdef('s.near')};
my $before = $node->safe_psql('postgres', $definitions);

sub check
{
	my ($db, $how) = @_;
	is($node->safe_psql($db, $definitions), $before, "$how: same definitions and rows");
	is($node->safe_psql($db, q{SELECT managed FROM vecdb.collections WHERE collection = 's.made'::regclass}), 't',
		"$how: what create_collection made is known as such");
	is($node->safe_psql($db, q{SELECT string_agg(c::text, ' ') FROM pg_index JOIN pg_class i ON i.oid = indexrelid JOIN pg_am a ON a.oid = relam,
		vecdb.check_index(indexrelid) c WHERE amname IN ('hnsw', 'ivf', 'ivfflat') AND relkind = 'i'}), '', "$how: all indexes are sound");
	is($node->safe_psql($db, q{SET enable_seqscan = off; SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM s.t ORDER BY e <-> clustered(9, 12)) s}),
		'800|800', "$how: the index finds all rows");
	is($node->safe_psql($db, q{SELECT string_agg(concat(i.relname, ' ', r.recall), ', ') FROM pg_index x JOIN pg_class i ON i.oid = indexrelid JOIN pg_am a ON a.oid = relam,
		vecdb.check_recall(indexrelid, 20) r WHERE amname IN ('hnsw', 'ivf', 'ivfflat') AND x.indrelid = 's.o'::regclass AND NOT r.recall >= 0.85}), '',
		"$how: indexes of every type find the nearest");
	cmp_ok($node->safe_psql($db, q{SELECT recall FROM vecdb.check_recall('s.l2')}), '>=', 0.95, "$how: recall");
	return;
}

my $file = PostgreSQL::Test::Utils::tempdir . '/dump';
my $connection = $node->connstr('postgres');
command_ok([ 'pg_dump', '-d', $connection, '-f', "$file.sql" ], 'pg_dump');
$node->safe_psql('postgres', 'CREATE DATABASE plain_copy');
command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('plain_copy'), '-f', "$file.sql" ], 'restore by psql');
check('plain_copy', 'plain');

command_ok([ 'pg_dump', '-Fc', '-d', $connection, '-f', "$file.custom" ], 'pg_dump -Fc');
$node->safe_psql('postgres', 'CREATE DATABASE custom_copy');
command_ok([ 'pg_restore', '-j2', '--exit-on-error', '-d', $node->connstr('custom_copy'), "$file.custom" ], 'pg_restore -j2');
check('custom_copy', 'custom');

# a database copied file by file
$node->safe_psql('postgres', 'CREATE DATABASE file_copy TEMPLATE custom_copy');
check('file_copy', 'template');
$node->safe_psql('file_copy', q{INSERT INTO s.t SELECT i, clustered(i, 12) FROM generate_series(1001, 1100) i});
is($node->safe_psql('file_copy', q{SELECT count(*) FROM vecdb.check_index('s.l2')}), '0', 'template: inserts go on');

# the extension can go, and come back
$node->safe_psql('file_copy', 'DROP EXTENSION vecdb CASCADE; DROP SCHEMA s CASCADE; CREATE EXTENSION vecdb;');
no_crash($node, 'dump');
$node->stop;
done_testing();
