# SPDX-License-Identifier: PostgreSQL
# ivf: the server is killed in the middle of inserts that split lists, and of VACUUM, which frees and tidies. After recovery the
# index is sound and finds every committed row once, and the next VACUUM takes what was left over.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../perl";
use VecdbTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('ivf_crash', conf => [ 'restart_after_crash = on', 'checkpoint_timeout = 1h', 'wal_level = replica' ]);
$node->start;
create_data_functions($node);
my %order = (t_l2 => 'e <-> clustered(100000, 16)', t_ip => 'e <#> clustered(100000, 16)', t_flat => 'e <=> clustered(100000, 16)',
	t_l1 => 'e <+> clustered(100000, 16)');
$node->safe_psql('postgres', q{
	CREATE TABLE t (id int PRIMARY KEY, e vector(16));
	-- from empty: lists come by splitting
	CREATE INDEX t_l2 ON t USING ivf (e vector_l2_ops);
	CREATE INDEX t_ip ON t USING ivf (e vector_ip_ops) WITH (rerank = heap);
	CREATE INDEX t_l1 ON t USING ivf (e vector_l1_ops);
	CREATE INDEX t_flat ON t USING ivfflat (e vector_cosine_ops) WITH (lists = 5);
	CREATE PROCEDURE fill(first int, last int) LANGUAGE plpgsql AS $$
		BEGIN FOR i IN 0 .. (last - first) / 10 LOOP
			INSERT INTO t SELECT k, clustered(k, 16) FROM generate_series(first + 10 * i, first + 10 * i + 9) k; COMMIT; END LOOP; END $$;
});

sub check
{
	my ($what) = @_;
	foreach my $index (sort keys %order)
	{
		is_sound($node, $index, $what);
		is_complete($node, 't', $index, $order{$index}, $what);
	}
	has_recall($node, $_, 0.9, $what) for qw(t_l2 t_flat);
	return;
}

my ($out, $err, $psql);

# --- in the middle of inserts ---

my $rows = 0;
foreach my $round (1 .. 4)
{
	my $first = 100000 * ($round - 1) + 1;
	$psql = start_psql($node, ["CALL fill($first, $first + 99999)"], \$out, \$err);
	my $wanted = $rows + 900 + 137 * $round;
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

my $cut_off = 0;
foreach my $round (1 .. 4)
{
	# most of some clusters, so that lists fall below half
	$node->safe_psql('postgres', "DELETE FROM t WHERE h(id, 77) % 6 = $round OR (h(id, 0) % 50 BETWEEN 10 * $round AND 10 * $round + 5 AND h(id, 78) % 10 > 0)");
	$rows = $node->safe_psql('postgres', 'SELECT count(*) FROM t');
	$psql = start_psql($node, [ 'SET vacuum_cost_delay = 2', 'SET vacuum_cost_limit = 10', 'SET vacuum_cost_page_hit = 1', 'VACUUM t' ],
		\$out, \$err);
	wait_for($node, q{SELECT phase ~ 'index' FROM pg_stat_progress_vacuum UNION ALL
		SELECT true WHERE NOT EXISTS (SELECT FROM pg_stat_activity WHERE query = 'VACUUM t' AND pid <> pg_backend_pid()) LIMIT 1});
	select(undef, undef, undef, 0.04 * ($round - 1));
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
	my $first = 500000 + 1000 * $round;
	$node->safe_psql('postgres', "INSERT INTO t SELECT i, clustered(i, 16) FROM generate_series($first, $first + 600) i");
	$node->safe_psql('postgres', 'VACUUM t');
	check("vacuum round $round, after new inserts and the next VACUUM");
}
# cut off by a cancel, at many places: each leaves what a crash there would
my $next = 600000;
my $cancelled = 0;
foreach my $round (1 .. 12)
{
	$node->safe_psql('postgres', "DELETE FROM t WHERE h(id, 100 + $round) % 6 = 0");
	my (undef, undef, $error) = $node->psql('postgres', join ';', 'SET vacuum_cost_delay = 1', 'SET vacuum_cost_limit = 10',
		'SET vacuum_cost_page_hit = 1', 'SET statement_timeout = ' . (5 + 12 * $round), 'VACUUM t');
	$cancelled++ if $error =~ /statement timeout/;
	is_sound($node, $_, "VACUUM cancelled, round $round") for sort keys %order;
	my (undef, undef, $insert) = $node->psql('postgres', 'SET statement_timeout = ' . (5 + 10 * $round)
		. "; INSERT INTO t SELECT i, clustered(i, 16) FROM generate_series($next, $next + 1500) i");
	$next += 1501;
}
cmp_ok($cancelled, '>=', 3, "VACUUM was cancelled $cancelled times of 12");
cmp_ok($cut_off, '>=', 2, "VACUUM was cut off $cut_off times of 4");
$node->safe_psql('postgres', 'VACUUM t');
check('after the last VACUUM');

# --- all of it comes free at last ---

my $pages = $node->safe_psql('postgres', q{SELECT pg_relation_size('t_l2') / 8192});
foreach my $round (1 .. 3)
{
	$node->safe_psql('postgres', 'DELETE FROM t');
	# gone lists wait for a transaction that comes after them
	$node->safe_psql('postgres', 'SELECT txid_current()') && $node->safe_psql('postgres', 'VACUUM t') for 1 .. 3;
	$node->safe_psql('postgres', "INSERT INTO t SELECT i, clustered(i, 16) FROM generate_series(1, 4000) i");
}
my $now = $node->safe_psql('postgres', q{SELECT pg_relation_size('t_l2') / 8192});
cmp_ok($now, '<=', 1.5 * $pages, "pages are used again: $pages, now $now");
check('emptied and filled');
$node->stop;
done_testing();
