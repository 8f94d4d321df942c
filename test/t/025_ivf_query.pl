# SPDX-License-Identifier: PostgreSQL
# ORDER BY column <*> query through ivf: share of the ten best rows at default settings, all of them with all lists, on a built index, one
# that grew from nothing, after churn and on a standby; vecdb.time_budget_ms.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../perl";
use VecdbTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('ivf_query', init => [ allows_streaming => 1 ]);
$node->start;
create_data_functions($node);
$node->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('ivf_query_standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;

# near(i): rows around 60 centres that lie near each other in 24 dimensions. recall: of 12 queries whose examples are rows, the positives and the
# target neighbours of each other in half of them; rows as good as the tenth best count.
$node->safe_psql('postgres', q{
	CREATE FUNCTION near(seed int) RETURNS vector LANGUAGE sql IMMUTABLE AS
		$$ SELECT array_agg(public.h(-1 - public.h(seed, 0) % 60, d) % 100 - 40 + public.h(seed, d) % 91 - 45)::public.vector FROM generate_series(1, 24) d $$;
	CREATE FUNCTION asked(kind text, metric text, i int) RETURNS vecdb.query LANGUAGE plpgsql STABLE AS $$
	DECLARE p vector[]; n vector[]; t vector;
	BEGIN
		SELECT array_agg(e ORDER BY id) INTO p FROM t WHERE id IN (h(i, 1) % 9000, h(i, 2) % 9000, h(i, 3) % 9000);
		SELECT array_agg(e ORDER BY id) INTO n FROM t WHERE id IN (h(i, 4) % 9000, h(i, 5) % 9000, h(i, 6) % 9000);
		t := p[1];
		IF i % 2 = 0 THEN
			SELECT array_agg(e) INTO p FROM (SELECT e FROM t ORDER BY e <-> p[1] LIMIT 20 OFFSET 2) x WHERE random() < 0.3;
			p := coalesce(p, ARRAY[t]);
		END IF;
		CASE kind
			WHEN 'best_score', 'sum_scores', 'average_vector' THEN RETURN vecdb.recommend_query(p, n, kind, metric);
			WHEN 'discover' THEN RETURN vecdb.discover_query(t, p[1:2], n[1:least(2, cardinality(p))], metric);
			ELSE RETURN vecdb.context_query(p[1:2], n[1:least(2, cardinality(p))], metric);
		END CASE;
	END $$;
	CREATE FUNCTION recall(kind text, metric text) RETURNS numeric LANGUAGE plpgsql AS $$
	DECLARE q vecdb.query; best float8[]; found float8[]; good int := 0;
	BEGIN
		FOR i IN 1..12 LOOP
			q := asked(kind, metric, i);
			PERFORM set_config('enable_indexscan', 'off', true), set_config('enable_seqscan', 'on', true);
			EXECUTE format('SELECT array_agg(d ORDER BY d) FROM (SELECT e <*> %L::vecdb.query d FROM t ORDER BY 1 LIMIT 10) x', q) INTO best;
			PERFORM set_config('enable_indexscan', 'on', true), set_config('enable_seqscan', 'off', true);
			EXECUTE format('SELECT array_agg(d) FROM (SELECT e <*> %L::vecdb.query d FROM t ORDER BY e <*> %1$L::vecdb.query LIMIT 10) x', q) INTO found;
			good := good + (SELECT count(*) FROM unnest(found) d WHERE d <= best[10]);
		END LOOP;
		RETURN round(good / 120.0, 3);
	END $$;
	CREATE TABLE t (id int PRIMARY KEY, e vector(24));
	INSERT INTO t SELECT i, near(i) FROM generate_series(1, 9000) i;
	SET maintenance_work_mem = '64MB';
	CREATE INDEX cosine ON t USING ivf (e vector_cosine_ops);
	CREATE INDEX l2 ON t USING ivf (e vector_l2_ops);
	CREATE INDEX dot ON t USING ivf (e vector_ip_ops);
	ANALYZE t});

my @kinds = qw(best_score sum_scores average_vector discover context);

sub has_recall_of_queries
{
	my ($what, $where, $floor, $setting, @metrics) = @_;
	for my $metric (@metrics)
	{
		for my $kind (@kinds)
		{
			my $recall = $where->safe_psql('postgres', "SELECT setseed(0.4); $setting SELECT recall('$kind', '$metric')");
			$recall =~ s/^\s*//;
			cmp_ok($recall, '>=', $floor, "$what: $kind, $metric: $recall");
		}
	}
	return;
}

like($node->safe_psql('postgres', q{SET enable_seqscan = off; EXPLAIN SELECT 1 FROM t ORDER BY e <*> asked('discover', 'l2', 1) LIMIT 1}), qr/Index Scan using l2/, 'the index of the metric');
has_recall_of_queries('built', $node, 0.9, '', qw(cosine l2 dot));
has_recall_of_queries('built, all lists', $node, 1, 'SET vecdb.ivf_probes = 32768;', qw(cosine l2 dot));

# --- grown from nothing, beside what goes ---

$node->safe_psql('postgres', q{
	DROP INDEX cosine; DROP INDEX dot; DROP INDEX l2;
	CREATE TABLE rows AS SELECT * FROM t;
	TRUNCATE t;
	CREATE INDEX cosine ON t USING ivf (e vector_cosine_ops);
	INSERT INTO t SELECT * FROM rows});
has_recall_of_queries('grown', $node, 0.9, '', 'cosine');
$node->safe_psql('postgres', 'DELETE FROM t WHERE id % 3 = 0; VACUUM t; INSERT INTO t SELECT * FROM rows WHERE id % 3 = 0');
has_recall_of_queries('after churn, all lists', $node, 1, 'SET vecdb.ivf_probes = 32768;', 'cosine');
$node->wait_for_catchup($standby);
has_recall_of_queries('standby', $standby, 0.9, '', 'cosine');

# --- the time is up ---

my ($out, $err);
$node->psql('postgres', q{SET enable_seqscan = off; SET vecdb.time_budget_ms = 1; SELECT count(*) FROM (SELECT 1 FROM t ORDER BY e <*> asked('best_score', 'cosine', 3)) x},
	stdout => \$out, stderr => \$err);
like($err, qr/time budget/, 'a scan of everything says that its time is up');
cmp_ok($out, '<', 9000, "and gives what it has found: $out");
cmp_ok($out, '>', 0, 'which is not nothing');

done_testing();
