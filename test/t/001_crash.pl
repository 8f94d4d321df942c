# SPDX-License-Identifier: PostgreSQL
# The server is killed in the middle of inserts and of VACUUM: after recovery the index is sound, finds every committed
# row, and its recall has not suffered.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../perl";
use VecdbTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('crash', conf => [ 'restart_after_crash = on', 'checkpoint_timeout = 1h', 'wal_level = replica' ]);
$node->start;
create_data_functions($node);
$node->safe_psql('postgres', q{
	CREATE TABLE t (id int PRIMARY KEY, e vector(16));
	CREATE INDEX t_l2 ON t USING hnsw (e vector_l2_ops);
	CREATE INDEX t_ip ON t USING hnsw (e vector_ip_ops) WITH (precision = 8, m = 8, ef_construction = 32);
	CREATE INDEX t_fused ON t USING hnsw (e vector_cosine_ops) WITH (layout = fused, m = 6, ef_construction = 24);
	CREATE PROCEDURE fill(first int, last int) LANGUAGE plpgsql AS $$
		BEGIN FOR i IN first .. last LOOP INSERT INTO t VALUES (i, clustered(i, 16)); COMMIT; END LOOP; END $$;
});

sub check
{
	my ($what) = @_;
	is_sound($node, $_, $what) for qw(t_l2 t_ip t_fused);
	is_complete($node, 't', 't_l2', 'e <-> clustered(100000, 16)', $what);
	is_complete($node, 't', 't_ip', 'e <#> clustered(100000, 16)', $what);
	is_complete($node, 't', 't_fused', 'e <=> clustered(100000, 16)', $what);
	has_recall($node, 't_l2', 0.95, $what);
	return;
}

my ($out, $err, $psql);

# --- in the middle of inserts ---

my $rows = 0;
foreach my $round (1 .. 4)
{
	my $first = 50000 * ($round - 1) + 1;
	$psql = start_psql($node, ["CALL fill($first, $first + 49999)"], \$out, \$err);
	my $wanted = $rows + 400 + 137 * $round;
	wait_for($node, "SELECT count(*) >= $wanted FROM t");
	if ($round % 2 == 1)
	{
		$node->stop('immediate');
		$psql->finish;
		$node->start;
	}
	else
	{
		my $pid = $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE query LIKE 'CALL fill%'});
		kill 'KILL', $pid;
		$psql->finish;
		wait_until_up($node);
	}
	like($err, qr/server closed the connection|terminat/, "round $round: the insert was cut off");
	$rows = $node->safe_psql('postgres', 'SELECT count(*) FROM t');
	cmp_ok($rows, '>=', $wanted, "round $round: committed rows are there");
	check("round $round, after a crash in inserts");
	# rows of the lost transactions
	$node->safe_psql('postgres', 'VACUUM t');
	is_sound($node, 't_l2', "round $round, after VACUUM");
}

# --- in the middle of VACUUM ---

$node->safe_psql('postgres', 'INSERT INTO t SELECT i, clustered(i, 16) FROM generate_series(300001, 302000) i');
my $cut_off = 0;
foreach my $round (1 .. 4)
{
	$node->safe_psql('postgres', "DELETE FROM t WHERE h(id, 77) % 6 = $round");
	$rows = $node->safe_psql('postgres', 'SELECT count(*) FROM t');
	# each block of the index costs at least 1, so that vacuum pauses every few blocks
	$psql = start_psql($node, [ 'SET vacuum_cost_delay = 2', 'SET vacuum_cost_limit = 20', 'SET vacuum_cost_page_hit = 1', 'VACUUM t' ],
		\$out, \$err);
	wait_for($node, q{SELECT phase = 'vacuuming indexes' FROM pg_stat_progress_vacuum UNION ALL
		SELECT true WHERE NOT EXISTS (SELECT FROM pg_stat_activity WHERE query = 'VACUUM t' AND pid <> pg_backend_pid()) LIMIT 1});
	select(undef, undef, undef, 0.05 * ($round - 1));
	if ($round % 2 == 1)
	{
		$node->stop('immediate');
		$psql->finish;
		$node->start;
	}
	else
	{
		my $pid = $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_progress_vacuum});
		kill 'KILL', $pid if $pid;
		$psql->finish;
		wait_until_up($node);
	}
	$cut_off++ if $err =~ /server closed the connection|terminat/;
	is($node->safe_psql('postgres', 'SELECT count(*) FROM t'), $rows, "vacuum round $round: all rows are there");
	check("vacuum round $round, after the crash");
	$node->safe_psql('postgres', 'INSERT INTO t SELECT i, clustered(i, 16) FROM generate_series(' . (310000 + 1000 * $round) . ', ' . (310200 + 1000 * $round) . ') i');
	$node->safe_psql('postgres', 'VACUUM t');
	check("vacuum round $round, after new inserts and the next VACUUM");
}
# cut off in the same way by a cancel, at many places: each leaves what a crash there would
my $next = 400000;
my $cancelled = 0;
foreach my $round (1 .. 12)
{
	$node->safe_psql('postgres', "DELETE FROM t WHERE h(id, 100 + $round) % 6 = 0");
	my (undef, undef, $error) = $node->psql('postgres', join ';', 'SET vacuum_cost_delay = 1', 'SET vacuum_cost_limit = 40',
		'SET vacuum_cost_page_hit = 1', 'SET statement_timeout = ' . (10 + 25 * $round), 'VACUUM t');
	$cancelled++ if $error =~ /statement timeout/;
	is_sound($node, $_, "VACUUM cancelled, round $round") for qw(t_l2 t_ip t_fused);
	$node->safe_psql('postgres', "INSERT INTO t SELECT i, clustered(i, 16) FROM generate_series($next, $next + 500) i");
	$next += 501;
}
cmp_ok($cancelled, '>=', 3, "VACUUM was cancelled $cancelled times of 12");
cmp_ok($cut_off, '>=', 2, "VACUUM was cut off $cut_off times of 4");
$node->safe_psql('postgres', 'VACUUM t');
check('after the last VACUUM');
is($node->safe_psql('postgres', q{SELECT count(*) FROM vecdb.check_index('t_l2', false)}), '0', 'nothing is left over in t_l2');
$node->stop;
done_testing();
