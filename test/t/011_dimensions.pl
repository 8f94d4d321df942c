# SPDX-License-Identifier: PostgreSQL
# As many dimensions as the type has. Recall floors for each number of dimensions, layout and way to fill an index; then,
# where codes go on in pages of their own, what else an index must stand: crashes in inserts and in VACUUM, a replica, churn, a dump.
# Data: rows around 50 centres in 32 dimensions, repeated to as many as wanted (wide()); exact answer: a sequential scan.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../perl";
use VecdbTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = new_node('dimensions', init => [ allows_streaming => 1 ],
	conf => [ 'maintenance_work_mem = 512MB', 'shared_buffers = 256MB', 'jit = off', 'max_wal_size = 4GB', 'checkpoint_timeout = 1h', 'hot_standby_feedback = on' ]);
$node->start;
create_data_functions($node);

# --- recall ---

# rows: as few as are no small graph that is searched whole
foreach ([ 100, 4000 ], [ 784, 2000 ], [ 1536, 1500 ], [ 3072, 1000 ], [ 8192, 700 ], [ 16000, 400 ])
{
	my ($dims, $rows) = @$_;
	my $start = time;
	$node->safe_psql('postgres', qq{
		CREATE TABLE t AS SELECT i AS id, wide(i, $dims)::vector($dims) AS e FROM generate_series(1, $rows) i;
		CREATE TABLE q AS SELECT i AS id, wide(i, $dims)::vector($dims) AS e FROM generate_series(100001, 100040) i;
		CREATE TABLE exact AS SELECT id, max(d) AS tenth FROM (SELECT q.id, t.e <-> q.e AS d, row_number() OVER (PARTITION BY q.id ORDER BY t.e <-> q.e) AS n FROM t, q) s
			WHERE n <= 10 GROUP BY id;});
	foreach my $options ('layout = compact', 'layout = fused', $dims == 16000 ? 'layout = fused, precision = 8' : ())
	{
		foreach my $how ('built', 'inserted')
		{
			my $table = $how eq 'built' ? 't' : 'i';
			$node->safe_psql('postgres', $how eq 'built' ? "CREATE INDEX x ON t USING hnsw (e vector_l2_ops) WITH ($options)"
				: "CREATE TABLE i (LIKE t); CREATE INDEX x ON i USING hnsw (e vector_l2_ops) WITH ($options); INSERT INTO i SELECT * FROM t");
			foreach ([ 20, 0.97 ], [ 80, 0.99 ])
			{
				my ($ef, $floor) = @$_;
				# a row counts when it is not farther than the tenth of the exact answer
				my $recall = $node->safe_psql('postgres', qq{SET enable_seqscan = off; SET hnsw.ef_search = $ef;
					SELECT round(avg((n.d <= tenth)::int), 4) FROM q JOIN exact USING (id),
						LATERAL (SELECT $table.e <-> q.e AS d FROM $table ORDER BY $table.e <-> q.e LIMIT 10) n});
				cmp_ok($recall, '>=', $floor, "$dims dimensions, $options, $how, ef_search $ef: recall\@10 is $recall, at least $floor");
			}
			is_sound($node, 'x', "$dims dimensions, $options, $how") if $dims >= 8192;
			$node->safe_psql('postgres', $how eq 'built' ? 'DROP INDEX x' : 'DROP TABLE i');
		}
	}
	$node->safe_psql('postgres', 'DROP TABLE t, q, exact');
	note(sprintf '%d dimensions: %.1f s', $dims, time - $start);
}

# --- crashes at 16,000 dimensions: in inserts, in VACUUM; with a replica that follows ---

$node->append_conf('postgresql.conf', 'wal_consistency_checking = all');
$node->restart;
$node->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('dimensions_standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;

$node->safe_psql('postgres', q{
	CREATE TABLE w (id int PRIMARY KEY, e vector(16000));
	CREATE INDEX w_l2 ON w USING hnsw (e vector_l2_ops) WITH (m = 4, ef_construction = 16);
	CREATE INDEX w_fused ON w USING hnsw (e vector_ip_ops) WITH (layout = fused, m = 4, ef_construction = 16);
	CREATE PROCEDURE fill(first int, last int) LANGUAGE plpgsql AS $$
		BEGIN FOR i IN first .. last LOOP INSERT INTO w VALUES (i, wide(i, 16000)); COMMIT; END LOOP; END $$;
});

sub check
{
	my ($what) = @_;
	is_sound($node, $_, $what) for qw(w_l2 w_fused);
	is_complete($node, 'w', 'w_l2', 'e <-> wide(100000, 16000)', $what);
	is_complete($node, 'w', 'w_fused', 'e <#> wide(100000, 16000)', $what);
	return;
}

my ($out, $err, $psql);
foreach my $round (1 .. 2)
{
	my $first = 1000 * $round;
	$psql = start_psql($node, ["CALL fill($first, $first + 999)"], \$out, \$err);
	my $wanted = $node->safe_psql('postgres', 'SELECT count(*) FROM w') + 60;
	wait_for($node, "SELECT count(*) >= $wanted FROM w");
	$node->stop('immediate');
	$psql->finish;
	$node->start;
	like($err, qr/server closed the connection|terminat/, "round $round: the insert was cut off");
	cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM w'), '>=', $wanted, "round $round: committed rows are there");
	check("round $round, after a crash in inserts");
	$node->safe_psql('postgres', "DELETE FROM w WHERE h(id, $round) % 3 = 0");
	$psql = start_psql($node, [ 'SET vacuum_cost_delay = 2', 'SET vacuum_cost_limit = 20', 'SET vacuum_cost_page_hit = 1', 'VACUUM w' ], \$out, \$err);
	select(undef, undef, undef, 0.15 * $round);
	$node->stop('immediate');
	$psql->finish;
	$node->start;
	check("round $round, after a crash in VACUUM");
	$node->safe_psql('postgres', 'VACUUM w');
	check("round $round, after the next VACUUM");
}

$node->wait_for_catchup($standby);
my $query = q{SET enable_seqscan = off; SELECT string_agg(id::text, ' ') FROM (SELECT id FROM w ORDER BY e <-> wide(100000, 16000) LIMIT 40) x;
	SELECT string_agg(id::text, ' ') FROM (SELECT id FROM w ORDER BY e <#> wide(100000, 16000) LIMIT 40) x};
my $expected = $node->safe_psql('postgres', $query);
is($standby->safe_psql('postgres', $query), $expected, 'the replica answers as the primary does');
is($standby->safe_psql('postgres', q{SELECT count(*) FROM (SELECT id FROM w ORDER BY e <-> wide(100000, 16000)) x}),
	$node->safe_psql('postgres', 'SELECT count(*) FROM w'), 'all rows are on the replica');
$standby->promote;
$standby->safe_psql('postgres', 'CALL fill(5000, 5020)');
is_sound($standby, $_, 'the promoted replica') for qw(w_l2 w_fused);
no_crash($standby, 'replica');
$standby->stop;

# --- a dump brings the indexes back ---

my $dump = "$PostgreSQL::Test::Utils::tmp_check/dimensions.sql";
command_ok([ 'pg_dump', '-d', $node->connstr('postgres'), '-t', 'w', '-f', $dump ], 'pg_dump');
$node->safe_psql('postgres', 'DROP TABLE w');
command_ok([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-f', $dump ], 'restored');
check('restored');
is($node->safe_psql('postgres', $query), $expected, 'the restored indexes answer the same');
$node->safe_psql('postgres', 'DROP TABLE w');

# --- churn at 8,192 dimensions: pages are used again ---

$node->safe_psql('postgres', q{
	CREATE UNLOGGED TABLE c AS SELECT i AS id, wide(i, 8192)::vector(8192) AS e FROM generate_series(1, 500) i;
	CREATE INDEX c_compact ON c USING hnsw (e vector_l2_ops) WITH (layout = compact, m = 8, ef_construction = 32);
	CREATE INDEX c_fused ON c USING hnsw (e vector_l2_ops) WITH (layout = fused, m = 8, ef_construction = 32)});
my %size;
foreach my $round (1 .. 5)
{
	my $first = 1000 * $round;
	$node->safe_psql('postgres', "DELETE FROM c WHERE h(id, $round) % 2 = 0");
	$node->safe_psql('postgres', 'VACUUM c');
	$node->safe_psql('postgres', "INSERT INTO c SELECT i, wide(i, 8192) FROM generate_series($first, $first + 499 - (SELECT count(*) FROM c)::int) i");
	foreach my $index (qw(c_compact c_fused))
	{
		is_sound($node, $index, "churn, round $round");
		has_recall($node, $index, 0.97, "churn, round $round", 20);
		$size{$index}[$round] = $node->safe_psql('postgres', "SELECT pg_relation_size('$index') / 8192");
	}
}
foreach my $index (qw(c_compact c_fused))
{
	my @pages = @{ $size{$index} }[ 1 .. 5 ];
	cmp_ok($pages[4], '<=', 1.15 * $pages[1], "$index does not grow without end: @pages pages");
}
$node->stop;
done_testing();
