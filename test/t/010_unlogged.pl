# SPDX-License-Identifier: PostgreSQL
# What is not WAL-logged: a build under wal_level = minimal survives a crash, an unlogged table is empty after one and its
# index usable.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../perl";
use VecdbTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# the unlogged indexes of other methods and types, and how they are asked
my @others = (
	[ 'o_v', 'v <-> clustered(3, 16)' ], [ 'o_flat', 'v <=> clustered(3, 16)' ], [ 'o_h', 'h <-> clustered(3, 16)::halfvec' ],
	[ 'o_h_ivf', 'h <#> clustered(3, 16)::halfvec' ], [ 'o_s', 's <=> clustered(3, 16)::sparsevec' ],
	[ 'o_b', 'b <~> binary_quantize(clustered(3, 16))' ], [ 'o_b_ivf', 'b <%> binary_quantize(clustered(3, 16))' ]);

my $node = new_node('unlogged', conf => [ 'wal_level = minimal', 'max_wal_senders = 0', 'wal_skip_threshold = 0', 'checkpoint_timeout = 1h' ]);
$node->start;
create_data_functions($node);
$node->safe_psql('postgres', q{
	CREATE TABLE old AS SELECT i AS id, clustered(i, 16)::vector(16) AS e FROM generate_series(1, 600) i;
	CREATE UNLOGGED TABLE u AS SELECT * FROM old;
	CREATE INDEX u_l2 ON u USING hnsw (e vector_l2_ops);
	CREATE UNLOGGED TABLE u8 (LIKE old);
	CREATE INDEX u8_cos ON u8 USING hnsw (e vector_cosine_ops) WITH (precision = 8, m = 6, ef_construction = 20);
	INSERT INTO u8 SELECT * FROM old;
	-- other methods and types
	CREATE UNLOGGED TABLE o (id int, v vector(16), h halfvec(16), s sparsevec(16), b bit(16));
	CREATE INDEX o_v ON o USING ivf (v vector_l2_ops);
	CREATE INDEX o_flat ON o USING ivfflat (v vector_cosine_ops) WITH (lists = 3);
	CREATE INDEX o_h ON o USING hnsw (h halfvec_l2_ops);
	CREATE INDEX o_h_ivf ON o USING ivf (h halfvec_ip_ops);
	CREATE INDEX o_s ON o USING hnsw (s sparsevec_cosine_ops);
	CREATE INDEX o_b ON o USING hnsw (b bit_hamming_ops);
	CREATE INDEX o_b_ivf ON o USING ivfflat (b bit_jaccard_ops);
	CREATE FUNCTION fill_o() RETURNS void LANGUAGE sql AS $$
		INSERT INTO o SELECT id, e, e::halfvec, e::sparsevec, binary_quantize(e)::bit(16) FROM old $$;
	SELECT fill_o();
	CHECKPOINT;
	CREATE INDEX old_l2 ON old USING hnsw (e vector_l2_ops);
	INSERT INTO old SELECT i, clustered(i, 16) FROM generate_series(601, 700) i;
	BEGIN;
	CREATE TABLE new AS SELECT * FROM old;
	CREATE INDEX new_l2 ON new USING hnsw (e vector_l2_ops);
	INSERT INTO new SELECT i, clustered(i, 16) FROM generate_series(701, 800) i;
	CREATE TABLE new_o AS SELECT id, e AS v, e::halfvec(16) AS h, e::sparsevec(16) AS s, binary_quantize(e)::bit(16) AS b FROM old;
	CREATE INDEX new_v ON new_o USING ivf (v vector_l2_ops);
	CREATE INDEX new_h ON new_o USING ivfflat (h halfvec_l2_ops) WITH (lists = 5);
	CREATE INDEX new_s ON new_o USING hnsw (s sparsevec_l1_ops);
	CREATE INDEX new_b ON new_o USING hnsw (b bit_jaccard_ops);
	COMMIT;
	BEGIN;
	CREATE INDEX lost_l2 ON old USING hnsw (e vector_l2_ops);
	ROLLBACK;
});
foreach my $round (1, 2)
{
	$node->stop('immediate');
	$node->start;
	is_sound($node, $_, "round $round") for qw(old_l2 new_l2 u_l2 u8_cos);
	is_sound($node, $_, "round $round") for qw(new_v new_h new_s new_b), map { $_->[0] } @others;
	is($node->safe_psql('postgres', 'SELECT count(*) FROM o'), '0', "round $round: so is that of other types");
	is_complete($node, 'o', @$_, "round $round, empty") for @others;
	$node->safe_psql('postgres', 'SELECT fill_o()');
	is_sound($node, $_->[0], "round $round, filled") for @others;
	is_complete($node, 'o', @$_, "round $round, filled") for @others;
	is_complete($node, 'old', 'old_l2', 'e <-> clustered(3, 16)', "round $round");
	is_complete($node, 'new', 'new_l2', 'e <-> clustered(3, 16)', "round $round");
	has_recall($node, 'new_l2', 0.95, "round $round");
	is($node->safe_psql('postgres', 'SELECT (SELECT count(*) FROM u), (SELECT count(*) FROM u8)'), '0|0', "round $round: unlogged tables are empty");
	is_complete($node, 'u', 'u_l2', 'e <-> clustered(3, 16)', "round $round, empty");
	$node->safe_psql('postgres', 'INSERT INTO u SELECT * FROM old; INSERT INTO u8 SELECT * FROM old');
	is_sound($node, $_, "round $round, filled") for qw(u_l2 u8_cos);
	is_complete($node, 'u', 'u_l2', 'e <-> clustered(3, 16)', "round $round, filled");
	is_complete($node, 'u8', 'u8_cos', 'e <=> clustered(3, 16)', "round $round, filled");
	has_recall($node, 'u_l2', 0.95, "round $round, filled");
	# after a clean stop they keep their rows
	$node->restart if $round == 1;
	is($node->safe_psql('postgres', 'SELECT count(*) FROM u'), '700', 'a clean restart keeps unlogged rows') if $round == 1;
}
no_crash($node, 'unlogged');
$node->stop;
done_testing();
