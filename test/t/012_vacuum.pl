# SPDX-License-Identifier: PostgreSQL
# VACUUM beside what else a server does: parallel workers, cost delay, rewrites of table and index under inserts; rows that
# die in clusters; the most lanes a node can have. Afterwards the index is sound and finds every row.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../perl";
use VecdbTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = new_node('vacuum', conf => [ 'min_parallel_index_scan_size = 0', 'max_worker_processes = 8', 'vacuum_cost_page_hit = 1' ]);
$node->start;
create_data_functions($node);
my @indexes = qw(t_fused t_compact);
my %order = (t_fused => 'e <-> clustered(1, 48)', t_compact => 'e <=> clustered(1, 48)');
$node->safe_psql('postgres', q{
	CREATE TABLE t (id int PRIMARY KEY, e vector(48));
	INSERT INTO t SELECT i, clustered(i, 48) FROM generate_series(1, 5000) i;
	CREATE INDEX t_fused ON t USING hnsw (e vector_l2_ops) WITH (layout = fused);
	CREATE INDEX t_compact ON t USING hnsw (e vector_cosine_ops) WITH (layout = compact);
});

sub check
{
	my ($what, $floor) = @_;
	foreach my $index (@indexes)
	{
		is_sound($node, $index, $what);
		is_complete($node, 't', $index, $order{$index}, $what);
		has_recall($node, $index, $floor || 0.97, $what);
	}
	return;
}

# what VACUUM wrote to the log of changes, in bytes
sub wal_of_vacuum
{
	my $lsn = $node->safe_psql('postgres', 'CHECKPOINT; VACUUM (INDEX_CLEANUP off) t; SELECT pg_current_wal_lsn()');
	$node->safe_psql('postgres', 'VACUUM (INDEX_CLEANUP on, PARALLEL 0) t');
	return $node->safe_psql('postgres', "SELECT pg_current_wal_lsn() - '$lsn'");
}

# --- as many pages are written as the dead rows have neighbours, not as the index has pages ---

$node->safe_psql('postgres', 'ALTER SYSTEM SET full_page_writes = off; SELECT pg_reload_conf()');
$node->safe_psql('postgres', 'DELETE FROM t WHERE id <= 5');
my $few = wal_of_vacuum();
$node->safe_psql('postgres', 'DELETE FROM t WHERE h(id, 1) % 5 = 0');
my $many = wal_of_vacuum();
cmp_ok($few, '<', $many / 10, "0.1% of the rows: $few bytes of WAL, 20%: $many");
check('a fifth deleted');

# --- parallel workers ---

$node->safe_psql('postgres', 'DELETE FROM t WHERE h(id, 2) % 4 = 0');
my ($code, $out, $err) = $node->psql('postgres', 'VACUUM (PARALLEL 2, VERBOSE) t');
like($err, qr/launched [12] parallel vacuum worker/, 'a worker takes one of the indexes');
check('parallel vacuum');
$node->safe_psql('postgres', 'INSERT INTO t SELECT i, clustered(i, 48) FROM generate_series(10001, 12000) i');
check('and inserts');

# --- vacuum_cost_delay: it sleeps, and while it does so nobody waits ---

$node->safe_psql('postgres', 'DELETE FROM t WHERE h(id, 3) % 10 = 0');
my ($vacuum_out, $vacuum_err) = ('', '');
my $start = time;
my $vacuum = start_psql($node, [ q{SET vacuum_cost_delay = 5}, q{SET vacuum_cost_limit = 20}, 'VACUUM t', q{SELECT 'done'} ], \$vacuum_out, \$vacuum_err);
my ($beside, $slowest) = (0, 0);
while (!$vacuum_out && time - $start < 60)
{
	my $from = time;
	my $id = 20000 + $beside;
	($code, $out, $err) = $node->psql('postgres', qq{SET statement_timeout = '5s'; SET enable_seqscan = off;
		INSERT INTO t VALUES ($id, clustered($id, 48)); SELECT id FROM t ORDER BY e <-> clustered($id, 48) LIMIT 1});
	is("$out$err", $id, 'an insert and a search beside a slow vacuum') if "$out$err" ne $id;
	$slowest = time - $from if time - $from > $slowest;
	$beside++;
	$vacuum->pump_nb;
}
$vacuum->finish;
my $taken = time - $start;
is("$vacuum_out$vacuum_err", "done\n", sprintf('VACUUM with cost delay: %.1f s, %d inserts beside it, the slowest %.2f s', $taken, $beside, $slowest));
cmp_ok($taken, '>', 0.5, 'it slept');
check('cost delay');

# --- tables and indexes written anew while rows come ---

my $script = PostgreSQL::Test::Utils::tempdir . '/insert';
append_to_file($script, q{\set id random(100000, 500000)
INSERT INTO t VALUES (:id, clustered(:id, 48)) ON CONFLICT DO NOTHING;
DELETE FROM t WHERE id BETWEEN :id + 1 AND :id + 60;
});
my ($bench_out, $bench_err) = ('', '');
my $bench = IPC::Run::start([ 'pgbench', '-n', '-T', 8, '-c', 2, '--random-seed=3', '-f', $script, '-h', $node->host, '-p', $node->port, 'postgres' ],
	'<', '/dev/null', '>', \$bench_out, '2>', \$bench_err);
my $until = time + 7;
my $rounds = 0;
while (time < $until)
{
	foreach my $command ('VACUUM FULL t', 'CLUSTER t USING t_pkey', 'REINDEX INDEX CONCURRENTLY t_fused', 'VACUUM t', 'REINDEX INDEX t_compact',
		'DROP INDEX t_compact; CREATE INDEX CONCURRENTLY t_compact ON t USING hnsw (e vector_cosine_ops) WITH (layout = compact)')
	{
		foreach my $one (split /; /, $command)
		{
			($code, $out, $err) = $node->psql('postgres', $one);
			is($err, '', $one) if $err;
		}
	}
	$rounds++;
}
$bench->finish;
my ($done) = $bench_out =~ /number of transactions actually processed: (\d+)/;
ok($done && $bench_err !~ /ERROR|FATAL|aborted/, "$rounds rounds of VACUUM FULL, CLUSTER and REINDEX beside " . ($done // 'no') . ' transactions') or diag($bench_err);
check('rewritten');
$node->safe_psql('postgres', 'VACUUM t');
check('rewritten, then VACUUM');

# --- rows that die in clusters, oldest first, as new clusters come: every entry point and every long link goes ---

$node->safe_psql('postgres', q{TRUNCATE t; INSERT INTO t SELECT i, (clustered(i % 10, 48)::real[])::vector + plain(i, 48) FROM generate_series(1, 2000) i; REINDEX TABLE t});
foreach my $round (1 .. 4)
{
	# 10 new clusters around places of their own, the 10 oldest go
	$node->safe_psql('postgres', qq{DELETE FROM t WHERE id <= $round * 2000; VACUUM t}) if $round == 4;
	$node->safe_psql('postgres', qq{INSERT INTO t SELECT i, clustered(1000 * $round + i % 10, 48) + plain(i, 48) FROM generate_series($round * 2000 + 1, $round * 2000 + 2000) i;
		DELETE FROM t WHERE id <= $round * 2000}) if $round < 4;
	$node->safe_psql('postgres', 'VACUUM t');
	check("generation $round", 0.95) if $round < 4;
}
is($node->safe_psql('postgres', 'SELECT count(*) FROM t'), '0', 'and all of them gone');
is_sound($node, $_, 'all gone') for @indexes;
$node->safe_psql('postgres', 'INSERT INTO t SELECT i, clustered(i, 48) FROM generate_series(1, 300) i');
check('begun again');

# --- the most lanes ---

$node->safe_psql('postgres', q{
	CREATE TABLE wide (id int PRIMARY KEY, e vector(8));
	INSERT INTO wide SELECT i, clustered(i, 8) FROM generate_series(1, 1500) i;
	CREATE INDEX wide_compact ON wide USING hnsw (e vector_l2_ops) WITH (layout = compact, m = 100, ef_construction = 200);
	CREATE INDEX wide_fused ON wide USING hnsw (e vector_l2_ops) WITH (layout = fused, m = 100, ef_construction = 200);
	DELETE FROM wide WHERE id % 2 = 0});
$node->safe_psql('postgres', 'VACUUM wide');
is_sound($node, $_, 'm = 100') for qw(wide_compact wide_fused);
has_recall($node, $_, 0.99, 'm = 100') for qw(wide_compact wide_fused);
is($node->safe_psql('postgres', 'SET enable_seqscan = off; SELECT count(*) FROM (SELECT id FROM wide ORDER BY e <-> clustered(1, 8)) s'), '750', 'm = 100: all rows');
no_crash($node, 'vacuum');
$node->stop;
done_testing();
