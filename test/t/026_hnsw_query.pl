# SPDX-License-Identifier: PostgreSQL
# ORDER BY column <*> query through hnsw: Qdrant's own bar, the share of the ten best rows for each kind and metric, the time budget, and
# damaged pages: a scan answers or fails with index_corrupted, and the server stays up.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../perl";
use VecdbTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('hnsw_query');
$node->start;
create_data_functions($node);

$node->safe_psql('postgres', q{
	CREATE FUNCTION asked(rel text, kind text, metric text, i int) RETURNS vecdb.query LANGUAGE plpgsql AS $$
	DECLARE p vector[]; n vector[];
	BEGIN
		EXECUTE format('SELECT array_agg(e ORDER BY id) FROM %I WHERE id IN (SELECT 1 + abs(hashint4(%s * 31 + j)) %% 4000 FROM generate_series(1, 3) j)', rel, i) INTO p;
		EXECUTE format('SELECT array_agg(e ORDER BY id) FROM %I WHERE id IN (SELECT 1 + abs(hashint4(%s * 37 + j)) %% 4000 FROM generate_series(101, 103) j)', rel, i) INTO n;
		CASE kind
			WHEN 'discover' THEN RETURN vecdb.discover_query(p[1], p[2:3], n[2:3], metric);
			WHEN 'context' THEN RETURN vecdb.context_query(p, n, metric);
			ELSE RETURN vecdb.recommend_query(p, n, kind, metric);
		END CASE;
	END $$;
	CREATE FUNCTION answer(rel text, q vecdb.query, k int, exact bool) RETURNS float8[] LANGUAGE plpgsql AS $$
	DECLARE r float8[];
	BEGIN
		PERFORM set_config('enable_indexscan', CASE WHEN exact THEN 'off' ELSE 'on' END, true), set_config('enable_seqscan', CASE WHEN exact THEN 'on' ELSE 'off' END, true);
		EXECUTE format('SELECT array_agg(d) FROM (SELECT e <*> $1 AS d FROM %I ORDER BY e <*> $1 LIMIT %s) x', rel, k) INTO r USING q;
		RETURN r;
	END $$;
	CREATE FUNCTION recall(rel text, kind text, metric text, k int, n int) RETURNS numeric LANGUAGE sql AS $$
		SELECT round(avg((SELECT count(*) FROM unnest(answer(rel, q, k, false)) d WHERE d <= best[k] + 1e-7)) / k, 3)
		FROM (SELECT q, answer(rel, q, k, true) best FROM (SELECT asked(rel, kind, metric, i) q FROM generate_series(1, n) i OFFSET 0) x OFFSET 0) y $$;
	CREATE TABLE plain AS SELECT i AS id, (SELECT array_agg(hashint4(i * 64 + d) / 2147483648.0) FROM generate_series(1, 8) d)::real[]::vector(8) AS e FROM generate_series(1, 5000) i;
	CREATE INDEX plain_cosine ON plain USING hnsw (e vector_cosine_ops) WITH (m = 16, ef_construction = 64);
	CREATE TABLE clusters AS SELECT i AS id, clustered(i, 24)::vector(24) AS e FROM generate_series(1, 4000) i;
	CREATE INDEX clusters_cosine ON clusters USING hnsw (e vector_cosine_ops);
	CREATE INDEX clusters_l2 ON clusters USING hnsw (e vector_l2_ops);
	CREATE INDEX clusters_ip ON clusters USING hnsw (e vector_ip_ops);
	CREATE INDEX clusters_l1 ON clusters USING hnsw (e vector_l1_ops)});

my @kinds = qw(best_score sum_scores discover context);

for my $kind (@kinds)
{
	# Qdrant allows 5 of 100 top-3 answers to differ at ef 32.
	my $differ = $node->safe_psql('postgres', qq{SET hnsw.ef_search = 32; SELECT count(*) FROM (SELECT asked('plain', '$kind', 'cosine', i) q FROM generate_series(1, 100) i OFFSET 0) x
		WHERE answer('plain', q, 3, true) IS DISTINCT FROM answer('plain', q, 3, false)});
	cmp_ok($differ, '<=', 5, "$kind: $differ of 100 top-3 answers differ from the exact ones");
	for my $metric (qw(cosine l2 dot l1))
	{
		my $recall = $node->safe_psql('postgres', "SELECT recall('clusters', '$kind', '$metric', 10, 12)");
		cmp_ok($recall, '>=', 0.95, "$kind, $metric: recall $recall");
	}
}

# --- time budget ---

my ($out, $err);
$node->psql('postgres', q{SET vecdb.time_budget_ms = 1; SET enable_seqscan = off;
	SELECT count(*) FROM (SELECT 1 FROM plain ORDER BY e <*> (SELECT vecdb.context_query(array_agg(e), array_agg(e)) FROM (SELECT e FROM plain WHERE id <= 1000) x) LIMIT 4999) y},
	stdout => \$out, stderr => \$err);
like($err, qr/NOTICE:  the time budget of a scan is used up/, 'a scan says that its time is up');
cmp_ok($out, '<', 4999, "and has returned $out rows by then");
is(() = $err =~ /used up/g, 1, 'once');

# --- damaged pages ---

$node->safe_psql('postgres', 'CREATE EXTENSION IF NOT EXISTS vecdb; CHECKPOINT');
my @paths = map { $node->data_dir . '/' . $node->safe_psql('postgres', "SELECT pg_relation_filepath('clusters_$_')") } qw(cosine l1);
srand(5);
for my $round (1 .. 3)
{
	$node->stop;
	for my $path (@paths)
	{
		my $blocks = int((-s $path) / 8192);
		open(my $file, '+<:raw', $path) or die $!;
		for (1 .. 30)
		{
			seek($file, 8192 * (1 + int(rand($blocks - 1))) + 24 + int(rand(8100)), 0);
			print $file chr(int(rand(256)));
		}
		close($file);
	}
	$node->start;
	for my $kind (@kinds)
	{
		for my $metric (qw(cosine l1))
		{
			my $code = $node->psql('postgres', "\\set VERBOSITY sqlstate\nSELECT cardinality(answer('clusters', asked('clusters', '$kind', '$metric', $round), 4000, false))",
				stdout => \$out, stderr => \$err);
			like("$out$err", qr/^\d+$|XX00[12]/, "round $round, $kind, $metric: an answer or XX002");
		}
	}
}
is($node->safe_psql('postgres', 'SELECT 1'), 1, 'the server is up');
no_crash($node, 'damaged pages');

done_testing();
