# SPDX-License-Identifier: PostgreSQL
# Half of the rows are deleted and inserted anew five times: recall does not sink, and the index does not grow, as slots
# are used again.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../perl";
use VecdbTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('churn');
$node->start;
create_data_functions($node);
$node->safe_psql('postgres', q{
	CREATE TABLE t (id int PRIMARY KEY, e vector(32));
	INSERT INTO t SELECT i, clustered(i, 32) FROM generate_series(1, 3000) i;
	CREATE INDEX t_16 ON t USING hnsw (e vector_l2_ops) WITH (layout = compact);
	CREATE INDEX t_8 ON t USING hnsw (e vector_cosine_ops) WITH (layout = compact, precision = 8);
	CREATE INDEX t_fused ON t USING hnsw (e vector_ip_ops) WITH (layout = fused);
});
my %size = map { $_ => $node->safe_psql('postgres', "SELECT pg_relation_size('$_')") } qw(t_16 t_8 t_fused);
my %recall = map { $_ => $node->safe_psql('postgres', "SELECT recall FROM vecdb.check_recall('$_', 200, 10)") } qw(t_16 t_8 t_fused);
foreach my $round (1 .. 5)
{
	$node->safe_psql('postgres', "DELETE FROM t WHERE h(id, $round) % 2 = 0");
	$node->safe_psql('postgres', 'VACUUM t');
	is_sound($node, $_, "round $round, deleted") for qw(t_16 t_8 t_fused);
	$node->safe_psql('postgres', qq{INSERT INTO t SELECT i, clustered(i, 32) FROM generate_series($round * 10000, $round * 10000 + 5999) i
		LIMIT 3000 - (SELECT count(*) FROM t)});
	is($node->safe_psql('postgres', 'SELECT count(*) FROM t'), '3000', "round $round: 3,000 rows again");
	foreach my $index (qw(t_16 t_8 t_fused))
	{
		is_sound($node, $index, "round $round, inserted");
		# one part in 50 below the new index at most, and never below the floor
		my $floor = $recall{$index} - 0.02 > 0.95 ? $recall{$index} - 0.02 : 0.95;
		has_recall($node, $index, $floor, "round $round", 200);
		my $now = $node->safe_psql('postgres', "SELECT pg_relation_size('$index')");
		cmp_ok($now, '<=', 1.15 * $size{$index}, "round $round: $index has $now bytes, $size{$index} at first");
	}
	is_complete($node, 't', 't_16', 'e <-> clustered(1, 32)', "round $round");
	is_complete($node, 't', 't_8', 'e <=> clustered(1, 32)', "round $round");
	is_complete($node, 't', 't_fused', 'e <#> clustered(1, 32)', "round $round");
}

# The same rows in an index built now: with little effort of the search, so that a worse graph shows.
my %definition = (
	t_16 => 'e vector_l2_ops) WITH (layout = compact',
	t_8 => 'e vector_cosine_ops) WITH (layout = compact, precision = 8',
	t_fused => 'e vector_ip_ops) WITH (layout = fused');
foreach my $index (sort keys %definition)
{
	$node->safe_psql('postgres', "CREATE INDEX fresh ON t USING hnsw ($definition{$index})");
	my ($churned, $fresh) = map {
		$node->safe_psql('postgres', "SET hnsw.ef_search = 12; SELECT recall FROM vecdb.check_recall('$_', 400, 10)")
	} ($index, 'fresh');
	cmp_ok($churned, '>=', $fresh - 0.015, "recall at ef_search 12: $index $churned, built anew $fresh");
	$node->safe_psql('postgres', 'DROP INDEX fresh');
}
no_crash($node, 'churn');
$node->stop;
done_testing();
