# SPDX-License-Identifier: PostgreSQL
# Each type that can be indexed, by each method and metric: builds with little memory, inserts, thousands of equal values, deletes
# and vacuum, a crash, unlogged tables and a replica. After each step all indexes are sound, find all rows, and find the nearest;
# the replica, whose pages are compared record by record at some steps, gives the same answers. A type is a line of @types.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../perl";
use VecdbTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# value: out of v, a vector of 32 clustered integers from -130 to 130
my %dense = (l2 => '<->', ip => '<#>', cosine => '<=>', l1 => '<+>');
my @types = (
	{ type => 'halfvec', column => 'halfvec(32)', value => 'v::halfvec', metrics => \%dense, methods => [qw(hnsw ivf)] },
	{ type => 'int8vec', column => 'int8vec(32)', value => 'bytes(v)::int8vec', metrics => \%dense, methods => [qw(hnsw ivf)] },
	{ type => 'sparsevec', column => 'sparsevec(300)', value => 'sparse(v)', metrics => \%dense, methods => [qw(hnsw)] },
	{ type => 'sparsevec', column => 'sparsevec(300)', value => 'sparse(v)', metrics => { l2 => '<->', ip => '<#>', cosine => '<=>' }, methods => [qw(ivf)] },
	{ type => 'bit', column => 'bit(128)', value => 'bits(v)::bit(128)', metrics => { hamming => '<~>', jaccard => '<%>' }, methods => [qw(hnsw ivf)] },
);

my $node = new_node('types', init => [ allows_streaming => 1 ], conf => [ 'max_wal_size = 4GB', 'checkpoint_timeout = 1h' ]);
$node->start;
$node->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('types_standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;
create_data_functions($node);
$node->safe_psql('postgres', q{
	-- the greater elements, at places that go with their signs; four bits an element, as many set as it is great
	CREATE FUNCTION sparse(v vector) RETURNS sparsevec LANGUAGE sql IMMUTABLE AS $$
		SELECT ('{' || string_agg(format('%s:%s', n * 9 - (x > 0)::int, x), ',') FILTER (WHERE abs(x) > 50) || '}/300')::sparsevec
		FROM unnest(v::real[]) WITH ORDINALITY u (x, n) $$;
	CREATE FUNCTION bits(v vector) RETURNS varbit LANGUAGE sql IMMUTABLE AS $$
		SELECT string_agg(CASE WHEN x > -75 + 50 * j THEN '1' ELSE '0' END, '' ORDER BY n, j)::varbit FROM unnest(v::real[]) WITH ORDINALITY u (x, n), generate_series(0, 3) j $$;
	CREATE FUNCTION bytes(v vector) RETURNS int[] LANGUAGE sql IMMUTABLE AS $$ SELECT array_agg(greatest(-128, least(127, x))::int) FROM unnest(v::real[]) x $$;
	CREATE TABLE src AS SELECT i AS id, clustered(i, 32) AS v FROM generate_series(1, 3000) i;
	CREATE TABLE indexes (name text, tab text, op text, queries text[]);

	CREATE FUNCTION scan(i indexes, q text, rest text) RETURNS int[] LANGUAGE plpgsql AS $$
	DECLARE plan json; ids int[];
	BEGIN
		EXECUTE format('EXPLAIN (FORMAT json) SELECT id FROM %s ORDER BY e %s %L %s', i.tab, i.op, q, rest) INTO plan;
		EXECUTE format('SELECT array_agg(id) FROM (SELECT id FROM %s ORDER BY e %s %L %s) s', i.tab, i.op, q, rest) INTO ids;
		RETURN CASE WHEN plan::text ~ format('"Index Name": "%s"', i.name) THEN coalesce(ids, '{}') END;
	END $$;

	-- what is wrong with the indexes
	CREATE FUNCTION faults(floor float8) RETURNS SETOF text LANGUAGE plpgsql AS $$
	DECLARE i indexes; ids int[]; rows bigint; found float8;
	BEGIN
		SET LOCAL enable_seqscan = off;
		SET LOCAL enable_sort = off;
		FOR i IN SELECT * FROM indexes LOOP
			RETURN QUERY SELECT i.name || ': ' || c::text FROM vecdb.check_index(i.name::regclass) c;
			EXECUTE format('SELECT count(*) FROM %s WHERE e IS NOT NULL', i.tab) INTO rows;
			SET LOCAL vecdb.ivf_probes = 32768;
			ids := scan(i, i.queries[1], '');
			SET LOCAL vecdb.ivf_probes = 0;
			IF ids IS NULL THEN RETURN NEXT i.name || ' was not used'; END IF;
			IF cardinality(ids) <> rows OR (SELECT count(DISTINCT x) FROM unnest(ids) x) <> rows THEN
				RETURN NEXT format('%s: %s rows, %s different, not %s', i.name, cardinality(ids), (SELECT count(DISTINCT x) FROM unnest(ids) x), rows);
			END IF;
			SELECT recall INTO found FROM vecdb.check_recall(i.name::regclass, 15, 10);
			IF found < floor THEN RETURN NEXT format('%s: recall %s', i.name, found); END IF;
		END LOOP;
	END $$;
	CREATE FUNCTION answers() RETURNS TABLE (index text, ids text) LANGUAGE plpgsql AS $$
	DECLARE i indexes; q text;
	BEGIN
		SET LOCAL enable_seqscan = off;
		SET LOCAL enable_sort = off;
		FOR i IN SELECT * FROM indexes LOOP
			FOREACH q IN ARRAY i.queries LOOP
				index := i.name;
				ids := scan(i, q, 'LIMIT 40')::text;
				RETURN NEXT;
			END LOOP;
		END LOOP;
	END $$;
});

# For each table, with its column's value out of v.
sub each_table
{
	my ($statements) = @_;
	foreach my $t (@types)
	{
		foreach my $method (@{ $t->{methods} })
		{
			my %of = (TAB => "t_$t->{type}_$method", COLUMN => $t->{column}, VALUE => $t->{value});
			(my $sql = $statements) =~ s/\b(TAB|COLUMN|VALUE)(?![A-Z])/$of{$1}/g;
			$node->safe_psql('postgres', $sql);
		}
	}
	return;
}

my $floor = 0.9;

sub all_is_well
{
	my ($what) = @_;
	is($node->safe_psql('postgres', "SELECT * FROM faults($floor)"), '', "$what: all indexes are sound, complete and good");
	my $answers = $node->safe_psql('postgres', 'SELECT * FROM answers()');
	$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
	is($standby->safe_psql('postgres', 'SELECT * FROM answers()'), $answers, "$what: the replica gives the same answers");
	return;
}

each_table(q{CREATE TABLE TAB (id int, e COLUMN); INSERT INTO TAB SELECT id, VALUE FROM src WHERE id <= 2400; INSERT INTO TAB VALUES (0, NULL);
	CREATE UNLOGGED TABLE TAB_u (LIKE TAB); INSERT INTO TAB_u SELECT * FROM TAB WHERE id <= 300;});
my $indexes = 0;
foreach my $t (@types)
{
	foreach my $method (@{ $t->{methods} })
	{
		my $tab = "t_$t->{type}_$method";
		foreach my $metric (sort keys %{ $t->{metrics} })
		{
			my $op = $t->{metrics}{$metric};
			$node->safe_psql('postgres', qq{
				SET maintenance_work_mem = '1MB';
				CREATE INDEX ${tab}_$metric ON $tab USING $method (e $t->{type}_${metric}_ops);
				CREATE INDEX ${tab}_u_$metric ON ${tab}_u USING $method (e $t->{type}_${metric}_ops);
				INSERT INTO indexes SELECT '${tab}_$metric', '$tab', '$op', array_agg(($t->{value})::text) FROM src WHERE id > 2996;});
			$indexes++;
		}
	}
}
is($node->safe_psql('postgres', q{SELECT temp_files > 0 FROM pg_stat_database WHERE datname = 'postgres'}), 't', "$indexes indexes built, some beyond 1 MB");
all_is_well('built');

# one by one, and by one statement
my $compare = 'SET wal_consistency_checking = generic';
each_table(join ';', $compare, (map { "INSERT INTO TAB SELECT id, VALUE FROM src WHERE id = $_" } 2401 .. 2404), 'INSERT INTO TAB SELECT id, VALUE FROM src WHERE id BETWEEN 2405 AND 2440');
all_is_well('inserted');

# thousands of rows with three values between them, and then without them
each_table(q{INSERT INTO TAB SELECT 10000 + i, (SELECT VALUE FROM src WHERE id = 1 + i % 3) FROM generate_series(1, 2000) i});
all_is_well('equal values');
each_table(q{DELETE FROM TAB WHERE id >= 10000 OR id % 5 < 2});
each_table('VACUUM TAB');
all_is_well('vacuumed');
each_table("$compare; INSERT INTO TAB SELECT id, VALUE FROM src WHERE id <= 2400 AND id % 50 = 1; UPDATE TAB SET e = VALUE FROM src WHERE src.id = TAB.id + 400 AND TAB.id % 80 = 3");
all_is_well('room used again');

# a crash, with rows on their way in
my ($out, $err) = ('', '');
my $unfinished = start_psql($node, [ 'BEGIN',
	(map { my $t = $_; map { "INSERT INTO t_$t->{type}_$_ SELECT id, $t->{value} FROM src WHERE id > 2900" } @{ $t->{methods} } } @types),
	'SELECT pg_sleep(600)' ], \$out, \$err);
wait_for($node, "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
each_table(q{INSERT INTO TAB SELECT id, VALUE FROM src WHERE id BETWEEN 2501 AND 2520});
$node->stop('immediate');
$unfinished->finish;
$node->start;
all_is_well('after a crash');
each_table("$compare; DELETE FROM TAB WHERE id % 50 = 3; VACUUM TAB; INSERT INTO TAB SELECT id, VALUE FROM src WHERE id BETWEEN 2521 AND 2530");
all_is_well('and going on');

# unlogged tables are empty after it; their indexes work
each_table(q{DO $$ BEGIN IF EXISTS (SELECT FROM TAB_u) THEN RAISE EXCEPTION 'TAB_u has rows'; END IF; END $$;
	INSERT INTO TAB_u SELECT id, VALUE FROM src WHERE id <= 400;});
$node->safe_psql('postgres', q{UPDATE indexes SET name = overlay(name PLACING tab || '_u' FROM 1 FOR length(tab)), tab = tab || '_u'});
is($node->safe_psql('postgres', "SELECT * FROM faults($floor)"), '', 'unlogged: all indexes are sound, complete and good');

unlike(slurp_file($standby->logfile), qr/inconsistent page found|PANIC|terminated by signal/, 'the replica found no different page');
no_crash($standby, 'replica');
$standby->stop;
$node->stop;
done_testing();
