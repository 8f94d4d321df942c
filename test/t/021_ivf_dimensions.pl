# SPDX-License-Identifier: PostgreSQL
# ivf: every quantizer, rerank and metric, from 3 to 16,000 dimensions, built at once and filled row by row: the index is sound and
# complete, and its recall has a floor (by the probes that the index chooses itself; and looking into all lists, where only codes can err).
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

my $node = new_node('ivf_dimensions', conf => [ 'maintenance_work_mem = 256MB', 'shared_buffers = 256MB', 'jit = off', 'max_wal_size = 4GB', 'fsync = off' ]);
$node->start;
create_data_functions($node);

my @metrics = ([ l2 => '<->' ], [ ip => '<#>' ], [ cosine => '<=>' ], [ l1 => '<+>' ]);
my @quantizers = ('', 'quantizer = rabitq, rerank = half', 'quantizer = rabitq, rerank = heap', 'quantizer = rabitq4', 'quantizer = pq',
	'quantizer = pq, pq_bits = 8, rerank = heap', 'quantizer = sq8', 'quantizer = half', 'quantizer = none', 'quantizer = half, rerank = heap');
# dimensions, rows, metrics; each quantizer with all of these metrics, or with one of them
my @cases = ([ 3, 1500, 4 ], [ 17, 1000, 4 ], [ 100, 1500, 4, 'all' ], [ 784, 800, 2 ], [ 2000, 400, 2 ], [ 16000, 100, 2 ]);
foreach (@cases)
{
	my ($dims, $rows, $metric_count, $all_metrics) = @$_;
	my $start = time;
	$node->safe_psql('postgres', qq{
		CREATE TABLE t AS SELECT i AS id, wide(i, $dims)::vector($dims) AS e FROM generate_series(1, $rows) i;
		CREATE TABLE q AS SELECT i AS id, wide(i, $dims)::vector($dims) AS e FROM generate_series(100001, 100030) i;});
	foreach my $m (0 .. $metric_count - 1)
	{
		my ($metric, $op) = @{ $metrics[$m] };
		$node->safe_psql('postgres', qq{CREATE TABLE exact AS SELECT q.id, (SELECT max(d) FROM (SELECT t.e $op q.e AS d FROM t ORDER BY 1 LIMIT 10) s) AS tenth FROM q});
		foreach my $n (0 .. $#quantizers)
		{
			my $quantizer = $quantizers[$n];
			next if $metric eq 'l1' && $quantizer =~ /rabitq|pq/;
			next if !$all_metrics && $n % $metric_count != $m;
			my $options = $quantizer eq '' ? '' : "WITH ($quantizer)";
			foreach my $how ('built', 'filled')
			{
				my $what = "$dims dimensions, $metric, " . ($quantizer || 'default') . ", $how";
				my $table = $how eq 'built' ? 't' : 'i';
				my ($code, undef, $err) = $node->psql('postgres', $how eq 'built' ? "CREATE INDEX x ON t USING ivf (e vector_${metric}_ops) $options"
					: "CREATE TABLE i (LIKE t); CREATE INDEX x ON i USING ivf (e vector_${metric}_ops) $options; INSERT INTO i SELECT * FROM t");
				if ($code != 0)
				{
					fail("$what: $err");
					$node->psql('postgres', 'DROP TABLE IF EXISTS i; DROP INDEX IF EXISTS x');
					next;
				}
				# a row counts when it is not farther than the tenth of the exact answer
				my $recall = qq{SELECT round(avg((n.d <= tenth)::int), 4) FROM q JOIN exact USING (id),
					LATERAL (SELECT $table.e $op q.e AS d FROM $table ORDER BY $table.e $op q.e LIMIT 10) n};
				my ($own, $all_lists, $all) = split /\n/, $node->safe_psql('postgres', qq{SET enable_seqscan = off; $recall; SET vecdb.ivf_probes = 32768; $recall;
					SELECT count(*) || ' ' || count(DISTINCT id) FROM (SELECT id FROM $table ORDER BY e $op (SELECT e FROM q LIMIT 1)) s});
				my $floor = $dims == 3 ? 0.9 : 0.85;
				cmp_ok($own, '>=', $floor, "$what, own probes: recall\@10 is $own, at least $floor");
				cmp_ok($all_lists, '>=', 0.97, "$what, all lists: recall\@10 is $all_lists, at least 0.97");
				is($all, "$rows $rows", "$what: all rows are found");
				is_sound($node, 'x', $what);
				$node->safe_psql('postgres', $how eq 'built' ? 'DROP INDEX x' : 'DROP TABLE i');
			}
		}
		$node->safe_psql('postgres', 'DROP TABLE exact');
	}
	$node->safe_psql('postgres', 'DROP TABLE t, q');
	note(sprintf '%d dimensions: %.1f s', $dims, time - $start);
}
no_crash($node, 'dimensions');
$node->stop;
done_testing();
