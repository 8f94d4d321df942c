# SPDX-License-Identifier: PostgreSQL
# Extension "vector", the shim: for clients and for dumps it is pgvector, and vecdb lies under it.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../perl";
use VecdbTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => 'pgvector is installed in this server: no place for the shim' if has_pgvector();
ok(has_shim(), 'the shim is installed (make install-shim)') or BAIL_OUT('run "make install-shim" first; tools/test does');

my $node = new_node('shim');
$node->start;

my $extensions = q{SELECT string_agg(extname || ' in ' || extnamespace::regnamespace, ', ' ORDER BY extname) FROM pg_extension WHERE extname <> 'plpgsql'};

# A new database, and what psql says on stderr to the statements in it.
my $databases = 0;
sub database
{
	my ($statements) = @_;
	my $name = 'd' . ++$databases;
	my ($rc, $out, $err) = (undef, '', '');
	$node->safe_psql('postgres', "CREATE DATABASE $name TEMPLATE template0");
	$rc = $node->psql($name, $statements, stdout => \$out, stderr => \$err, on_error_stop => 0) if $statements;
	return ($name, $err);
}

# --- creating ---
my ($db, $err) = database('CREATE EXTENSION IF NOT EXISTS vector');
is($err, '', 'what clients say works, without CASCADE and without a word');
is($node->safe_psql($db, $extensions), 'vecdb in public, vector in public', 'both extensions are there');
is($node->safe_psql($db, q{SELECT '[1,2]'::vector <-> '[4,6]'}), '5', 'and so are types and operators');
cmp_ok($node->safe_psql($db, q{SELECT string_to_array(extversion, '.')::int[] >= '{0,8,0}' AND string_to_array(extversion, '.')::int[] < '{1}'
	FROM pg_extension WHERE extname = 'vector'}), 'eq', 't', 'the version is one of pgvector that has iterative scans');
is($node->safe_psql($db, q{SELECT count(*) FROM pg_depend d JOIN pg_extension e ON e.oid = refobjid WHERE extname = 'vector' AND deptype = 'e'}), '0',
	'the shim has no object of its own');
($db, $err) = database('CREATE EXTENSION IF NOT EXISTS vector; CREATE EXTENSION IF NOT EXISTS vector; CREATE EXTENSION IF NOT EXISTS vecdb');
like($err, qr/extension "vector" already exists, skipping.*extension "vecdb" already exists, skipping/s, 'a second time: skipped');
($db, $err) = database('CREATE EXTENSION vector CASCADE');
is($err, '', 'with CASCADE');
($db, $err) = database('CREATE SCHEMA s; CREATE EXTENSION vector WITH SCHEMA s');
is($node->safe_psql($db, "$extensions; SELECT '[1]'::s.vector OPERATOR(s.<->) '[3]'"), "vecdb in s, vector in s\n2", 'WITH SCHEMA');
($db, $err) = database('CREATE SCHEMA "my s"; SET search_path = "my s", public; CREATE EXTENSION vector');
is($node->safe_psql($db, $extensions), 'vecdb in "my s", vector in "my s"', 'in the first schema of search_path');
($db, $err) = database('BEGIN; CREATE EXTENSION vector; ROLLBACK; DO $$ BEGIN CREATE EXTENSION vector; END $$');
is($node->safe_psql($db, $extensions), 'vecdb in public, vector in public', 'after a rollback, and within a function');
($db, $err) = database('CREATE SCHEMA s; CREATE EXTENSION vecdb; CREATE EXTENSION vector SCHEMA s');
like($err, qr/WARNING:  extension "vector" is in schema "public", not "s"\nDETAIL:  Extension "vecdb"/, 'vecdb is there in another schema: a warning');
is($node->safe_psql($db, $extensions), 'vecdb in public, vector in public', 'and the catalogue tells where the types are');
($db, $err) = database('CREATE TABLE events (tag text, object text);
	CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO events SELECT command_tag, object_identity FROM pg_event_trigger_ddl_commands() WHERE command_tag = \'CREATE EXTENSION\'; END $$;
	CREATE EVENT TRIGGER note ON ddl_command_end EXECUTE FUNCTION note(); CREATE EXTENSION vector');
is($err . $node->safe_psql($db, 'SELECT string_agg(object, \' \' ORDER BY object) FROM events'), 'vecdb vector', 'event triggers see both');

# --- who may ---
($db, $err) = database('CREATE ROLE plain; SET ROLE plain; CREATE EXTENSION vector');
like($err, qr/permission denied to create extension "vector"/, 'a role without rights is refused, as with pgvector');

# --- changing and dropping ---
my $table = 'CREATE EXTENSION vector; CREATE TABLE t (id int, e vector(2)); ';
($db, $err) = database("$table ALTER EXTENSION vector UPDATE; ALTER EXTENSION vector UPDATE TO '0.1.0'; ALTER EXTENSION vector SET SCHEMA pg_catalog");
like($err, qr/NOTICE:  version "[0-9.]+" of extension "vector" is already installed\n/, 'ALTER EXTENSION UPDATE has nothing to do');
like($err, qr/no update path .* to version "0.1.0"/, 'nor a way to another version');
like($err, qr/extension "vector" does not support SET SCHEMA/, 'SET SCHEMA is refused');
($db, $err) = database("$table DROP EXTENSION vector");
like($err, qr/cannot drop extension vector because other objects depend on it\n.*column e of table t depends on type vector/, 'DROP EXTENSION is refused where a column has the type, as with pgvector');
$node->safe_psql($db, 'DROP EXTENSION vector CASCADE');
is($node->safe_psql($db, "SELECT attname FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0 AND NOT attisdropped; $extensions"), "id\n", 'CASCADE takes the column and vecdb along');
$node->safe_psql($db, 'CREATE EXTENSION vector');
is($node->safe_psql($db, $extensions), 'vecdb in public, vector in public', 'and it can be made again');
($db, $err) = database("$table DROP EXTENSION vecdb");
like($err, qr/cannot drop extension vecdb because other objects depend on it\n.*column e of table t depends on type vector/, 'nor can vecdb be dropped then');
($db, $err) = database("CREATE EXTENSION vecdb; CREATE EXTENSION vector; CREATE TABLE t (e vector); DROP EXTENSION vecdb; DROP EXTENSION vector");
like($err, qr/cannot drop extension vecdb because other objects depend on it/, 'a vecdb that was there first cannot be dropped from under the shim');
is($node->safe_psql($db, $extensions), 'vecdb in public', 'but outlives it');
($db, $err) = database('CREATE SCHEMA s; CREATE EXTENSION vector SCHEMA s; DROP SCHEMA s CASCADE');
is($node->safe_psql($db, $extensions), '', 'with its schema both go');

# --- conflicts ---
($db, $err) = database('CREATE TYPE vector AS (x int); CREATE EXTENSION vector');
like($err, qr/cannot create extension vecdb: type "public.vector" already exists\n.*HINT:  Create vecdb in another database and move/s, 'a type of that name: the error and the hint of vecdb');
is($node->safe_psql($db, $extensions), '', 'and nothing is left behind');
($db, $err) = database(q{CREATE FUNCTION f() RETURNS void LANGUAGE c AS '$libdir/vecdb', 'vecdb_shim_create'; SELECT f()});
like($err, qr/this function is for the installation script of extension "vector"/, 'its function works nowhere else');

# --- dump and restore of a database that has the shim ---
($db, $err) = database("$table INSERT INTO t VALUES (1, '[1,2]'), (2, '[3,4]'); CREATE INDEX ON t USING hnsw (e vector_l2_ops);
	CREATE TABLE u (e vector DEFAULT '[1]')");
my $file = PostgreSQL::Test::Utils::tempdir . '/shim';
command_ok([ 'pg_dump', '-Fc', '-d', $node->connstr($db), '-f', $file ], 'pg_dump');
for my $first ('', 'CREATE EXTENSION vecdb', 'CREATE EXTENSION vector')
{
	my ($copy) = database($first);
	command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr($copy), $file ], "pg_restore after '$first'");
	is($node->safe_psql($copy, "$extensions; SELECT string_agg(t::text, ' ' ORDER BY id) FROM t; SELECT pg_get_indexdef('t_e_idx'::regclass)"),
		"vecdb in public, vector in public\n(1,\"[1,2]\") (2,\"[3,4]\")\nCREATE INDEX t_e_idx ON public.t USING hnsw (e vector_l2_ops)", 'all is there');
}
command_ok([ 'pg_restore', '--clean', '--if-exists', '--exit-on-error', '-d', $node->connstr($db), $file ], 'pg_restore --clean over itself');
is($node->safe_psql($db, "$extensions; SELECT count(*) FROM t"), "vecdb in public, vector in public\n2", 'all is there again');

no_crash($node, 'shim');
$node->stop;
done_testing();
