# SPDX-License-Identifier: PostgreSQL
# Recall for each metric and precision, and each layout and m that has its own arrangement of lanes, built at once and inserted row by row.
# Data: 4,000 rows of 48 dimensions, integers around 50 centres, from a hash (clustered()); queries: 100 more such rows;
# exact answer: a sequential scan; floors: 0.98 (fused 0.96) at ef_search 40, 0.995 at 200.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../perl";
use VecdbTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('recall', conf => ['maintenance_work_mem = 128MB']);
$node->start;
create_data_functions($node);
$node->safe_psql('postgres', q{
	CREATE TABLE t AS SELECT i AS id, clustered(i, 48)::vector(48) AS e FROM generate_series(1, 4000) i;
	CREATE TABLE q AS SELECT i AS id, clustered(i, 48)::vector(48) AS e FROM generate_series(100001, 100100) i;
	ANALYZE;
});
my @metrics = ([ l2 => '<->' ], [ ip => '<#>' ], [ cosine => '<=>' ], [ l1 => '<+>' ]);
$node->safe_psql('postgres', qq{CREATE TABLE exact_$_->[0] AS SELECT q.id, (SELECT max(d) FROM (SELECT t.e $_->[1] q.e AS d FROM t ORDER BY 1 LIMIT 10) s) AS tenth FROM q}) foreach @metrics;

foreach my $options ('precision = 16', 'precision = 8', map { my $m = $_; map { "layout = fused, m = $m, precision = $_" } 16, 8 } 16, 24)
{
	foreach (@metrics)
	{
		my ($metric, $op) = @$_;
		next if $metric eq 'l1' && $options =~ /fused/;
		foreach my $how ('built', 'inserted')
		{
			my $table = $how eq 'built' ? 't' : 'i';
			$node->safe_psql('postgres', $how eq 'built' ? "CREATE INDEX x ON t USING hnsw (e vector_${metric}_ops) WITH ($options)"
				: "CREATE TABLE i (LIKE t); CREATE INDEX x ON i USING hnsw (e vector_${metric}_ops) WITH ($options); INSERT INTO i SELECT * FROM t");
			foreach ([ 40, 0.98 ], [ 200, 0.995 ])
			{
				my ($ef, $floor) = @$_;
				# estimates of neighbours lead there, which differ more from one rotation to the next
				$floor = 0.96 if $ef == 40 && $options =~ /fused/;
				# a row counts when it is not farther than the tenth of the exact answer
				my $recall = $node->safe_psql('postgres', qq{SET enable_seqscan = off; SET hnsw.ef_search = $ef;
					SELECT round(avg((n.d <= tenth)::int), 4) FROM q JOIN exact_$metric USING (id),
						LATERAL (SELECT $table.e $op q.e AS d FROM $table ORDER BY $table.e $op q.e LIMIT 10) n});
				cmp_ok($recall, '>=', $floor, "$metric, $options, $how, ef_search $ef: recall\@10 is $recall, at least $floor");
			}
			$node->safe_psql('postgres', $how eq 'built' ? 'DROP INDEX x' : 'DROP TABLE i');
		}
	}
}
no_crash($node, 'recall');
$node->stop;
done_testing();
