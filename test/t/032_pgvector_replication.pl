# SPDX-License-Identifier: PostgreSQL
# A live database moves from pgvector to vecdb by logical replication in binary mode, by the commands of
# docs/migrate-from-pgvector.md, and back. Where PGVECTOR_INSTALL names an installation that has pgvector, that is one side; without
# it vecdb is both, so the bytes of each type on the wire are held here by themselves.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../perl";
use VecdbTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => 'pgvector is installed in this server: no place for the shim' if has_pgvector();
has_shim() or BAIL_OUT('run "make install-shim" first; tools/test does');

my $page = 'migrate-from-pgvector.md';
my $dump = "$FindBin::RealBin/../data/pgvector_dump.sql";
my $pgvector = pgvector_installation();

sub connection
{
	my ($node, $db) = @_;
	return sprintf('host=%s port=%s dbname=%s', $node->host, $node->port, $db);
}

sub start
{
	my ($name, @path) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name, @path);
	$node->init(allows_streaming => 'logical');
	$node->append_conf('postgresql.conf', "autovacuum = off\nwal_receiver_status_interval = 1s\nlog_min_messages = warning\n");
	$node->start;
	return $node;
}

my $new = start('new');
my $twin = start('twin');
my $other = $pgvector ? start('pgvector', install_path => $pgvector) : undef;

# --- the bytes: what *_send writes and *_recv reads ---
# vector, halfvec: int16 dimensions, int16 0, elements as float4 or half; sparsevec: int32 dimensions, elements, 0, then indices
# from 0, then float4 values; bit: int32 bits, then bytes filled with 0. All big-endian.
my @wire = (
	[ 'vector', '[1,-2.5,3.4028235e+38,1e-45]', '0004' . '0000' . '3f800000' . 'c0200000' . '7f7fffff' . '00000001' ],
	[ 'vector', '[-0]', '0001' . '0000' . '80000000' ],
	[ 'halfvec', '[1,-2,0.099975586,65504,5.9604645e-08]', '0005' . '0000' . '3c00' . 'c000' . '2e66' . '7bff' . '0001' ],
	[ 'sparsevec', '{1:1.5,3:-2,1000:0.25}/1000', '000003e8' . '00000003' . '00000000' . '00000000' . '00000002' . '000003e7' . '3fc00000' . 'c0000000' . '3e800000' ],
	[ 'sparsevec', '{}/5', '00000005' . '00000000' . '00000000' ],
	[ 'bit(11)', '10101010111', '0000000b' . 'aae0' ],
);
# A file of COPY (FORMAT binary) with one row of one column.
sub copy_file
{
	my ($hex) = @_;
	my $value = pack 'H*', $hex;
	my $file = PostgreSQL::Test::Utils::tempdir . '/value';
	open my $handle, '>:raw', $file or die;
	print $handle "PGCOPY\n\377\r\n\0", pack('N N n N', 0, 0, 1, length $value), $value, pack('n', 0xffff);
	close $handle;
	chmod 0644, $file;
	return $file;
}
for my $node ([ vecdb => $new ], $other ? [ pgvector => $other ] : ())
{
	my ($name, $at) = @$node;
	$at->safe_psql('postgres', $name eq 'vecdb' ? 'CREATE EXTENSION vecdb' : 'CREATE EXTENSION vector');
	for (@wire)
	{
		my ($type, $value, $hex) = @$_;
		my $send = $type =~ /^(\w+)/ ? "$1_send" : die;
		is($at->safe_psql('postgres', "SELECT encode($send('$value'::$type), 'hex')"), $hex, "$name writes $value ($type)");
		my $file = copy_file($hex);
		is($at->safe_psql('postgres', "BEGIN; CREATE TABLE w (x $type); COPY w FROM '$file' (FORMAT binary); SELECT x FROM w; ROLLBACK"), $value, "$name reads it");
		# one byte less, or one too many: never taken
		for my $broken (substr($hex, 0, -2), $hex . '00')
		{
			$file = copy_file($broken);
			my ($rc, $out, $err) = $at->psql('postgres', "CREATE TEMP TABLE w (x $type); COPY w FROM '$file' (FORMAT binary)");
			like($err, qr/insufficient data left in message|incorrect binary data format/, "$name refuses " . length($broken) / 2 . " bytes for it");
		}
	}
}

# --- moves ---
sub database
{
	my ($node, $name, @statements) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $name TEMPLATE template0");
	$node->safe_psql($name, $_) for @statements;
	return $name;
}

my $rows = q{SELECT * FROM shop.items ORDER BY id; SELECT * FROM shop.events ORDER BY id; SELECT * FROM shop.misc ORDER BY colour};
my $later = q{
	INSERT INTO shop.items (title, embedding, free, half, sparse, bits, pairs) VALUES
		('late', '[1,2,3,4,5,6]', '[1e-45,-0,3.4028235e+38]', '[600,-5.9604645e-08,0,1,2,3]', '{30:-0.125}/30', B'111000111000', ARRAY['[1,2]', NULL]::vector[]),
		('empty', '[0,0,0,0,0,0]', NULL, NULL, NULL, NULL, NULL);
	UPDATE shop.items SET embedding = embedding + '[1,1,1,1,1,1]', sparse = '{}/30' WHERE id % 7 = 0;
	UPDATE shop.items SET half = half * '[2,2,2,2,2,2]', bits = ~bits WHERE id % 11 = 0;
	UPDATE shop.misc SET key = ROW('[9,9]', '[8,8]', '{1:1}/4')::shop.item_key WHERE colour = '[1,2,3]';
	DELETE FROM shop.items WHERE id % 13 = 0;
	INSERT INTO shop.events SELECT id + 100, day + 1, embedding FROM shop.events;
};

# Moves $db of node $from to node $to, and changes back; with the shim on the new side or without.
sub move
{
	my ($what, $from, $from_db, $to, $to_db, $shim) = @_;
	my $dir = PostgreSQL::Test::Utils::tempdir;
	local $ENV{OLD} = connection($from, $from_db);
	local $ENV{NEW} = connection($to, $to_db);
	my $run = sub {
		my ($block) = @_;
		my $commands = doc_block($page, $block);
		$commands =~ s/CREATE EXTENSION vecdb/CREATE EXTENSION vector/ if $shim;
		command_ok([ 'timeout', '180', 'bash', '-e', '-o', 'pipefail', '-c', "cd '$dir' && $commands" ], "$what: commands of the page: $block");
	};
	$run->('publish');
	$run->('schema');
	$run->('subscribe');
	same_lines($to->safe_psql($to_db, $rows), $from->safe_psql($from_db, $rows), "$what: rows after the first copy");
	is($to->safe_psql($to_db, 'SELECT subbinary FROM pg_subscription JOIN pg_database d ON d.oid = subdbid WHERE datname = current_database()'), 't', "$what: in binary mode");
	$from->safe_psql($from_db, $later);
	$run->('switch');
	my $wanted = $from->safe_psql($from_db, $rows);
	like($wanted, qr/\|late\|/, "$what: changes were made");
	same_lines($to->safe_psql($to_db, $rows), $wanted, "$what: rows after changes and switch");
	is($to->safe_psql($to_db, 'SELECT last_value FROM shop.items_id_seq'), $from->safe_psql($from_db, 'SELECT last_value FROM shop.items_id_seq'), "$what: sequence");
	is($to->safe_psql($to_db, 'SELECT count(*) FROM pg_subscription s JOIN pg_database d ON d.oid = subdbid WHERE datname = current_database()'), '0', "$what: no subscription is left");
	my $centre = 'SELECT part, vector_dims(mean) FROM shop.centre ORDER BY 1';
	is($to->safe_psql($to_db, $centre), $from->safe_psql($from_db, $centre), "$what: materialized view");
	# the indexes were built after the copy, and took the changes
	my $sound = q{SELECT indexrelid::regclass, c FROM pg_index JOIN pg_class i ON i.oid = indexrelid JOIN pg_am a ON a.oid = relam,
		vecdb.check_index(indexrelid) c WHERE amname IN ('hnsw', 'ivfflat') AND relkind = 'i'};
	my $indexes = q{SELECT count(*), bool_and(indisvalid) FROM pg_index WHERE indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'shop'::regnamespace)};
	is($to->safe_psql($to_db, $indexes), $from->safe_psql($from_db, $indexes), "$what: all indexes");
	is($to->safe_psql($to_db, $sound), '', "$what: all indexes are sound");
	is($to->safe_psql($to_db, q{SET enable_seqscan = off; SELECT title FROM shop.items ORDER BY half <-> '[600,0,0,1,2,3]' LIMIT 1;
		SELECT title FROM shop.items ORDER BY sparse <=> '{30:-1}/30' LIMIT 1}), "late\nlate", "$what: a row that came by the stream is found");

	# the way back
	$run->('way back');
	$to->safe_psql($to_db, q{UPDATE shop.items SET embedding = embedding * '[0.5,0.5,0.5,0.5,0.5,0.5]', sparse = '{2:3}/30', half = '[1,2,3,4,5,6]' WHERE id < 5;
		INSERT INTO shop.items (title) VALUES ('back'); DELETE FROM shop.events WHERE id > 100});
	$to->wait_for_catchup('from_vecdb');
	same_lines($from->safe_psql($from_db, $rows), $to->safe_psql($to_db, $rows), "$what: changes go back");
	$from->safe_psql($from_db, 'DROP SUBSCRIPTION from_vecdb');
	return;
}

my $renamed = slurp_file($dump) =~ s/^(CREATE EXTENSION IF NOT EXISTS|COMMENT ON EXTENSION) vector /$1 vecdb /mgr;
sub load
{
	my ($node, $db, $text) = @_;
	database($node, $db);
	my $file = PostgreSQL::Test::Utils::tempdir . '/text.sql';
	append_to_file($file, $text);
	return $node->run_log([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', connection($node, $db), '-f', $file ]);
}

ok(load($twin, 'shop', slurp_file($dump)), 'a source with the shim');
database($new, 'from_shim');
move('shim to vecdb', $twin, 'shop', $new, 'from_shim', 0);
ok(load($twin, 'plain', $renamed), 'a source without it');
database($new, 'to_shim');
move('vecdb to shim', $twin, 'plain', $new, 'to_shim', 1);
SKIP:
{
	skip 'PGVECTOR_INSTALL is not set: pgvector itself is not there', 1 unless $other;
	ok(load($other, 'shop', slurp_file($dump)), 'a source with pgvector');
	database($new, 'moved');
	move('pgvector to vecdb', $other, 'shop', $new, 'moved', 0);
	ok(load($other, 'second', slurp_file($dump)), 'another');
	database($new, 'moved_shim');
	move('pgvector to shim', $other, 'second', $new, 'moved_shim', 1);
}

# both databases in one server: with a slot made before
database($new, 'a', 'CREATE EXTENSION vector; CREATE TABLE t (id int PRIMARY KEY, e vector(2), s sparsevec(9))',
	"INSERT INTO t VALUES (1, '[1,2]', '{3:4}/9')", 'CREATE PUBLICATION to_vecdb FOR ALL TABLES');
$new->safe_psql('a', "SELECT pg_create_logical_replication_slot('from_pgvector', 'pgoutput')");
database($new, 'b', 'CREATE EXTENSION vecdb; CREATE TABLE t (id int PRIMARY KEY, e vector(2), s sparsevec(9))',
	"CREATE SUBSCRIPTION from_pgvector CONNECTION '" . connection($new, 'a') . "' PUBLICATION to_vecdb WITH (binary = true, create_slot = false)");
$new->safe_psql('a', "INSERT INTO t VALUES (2, '[3,4]', '{}/9')");
$new->poll_query_until('b', 'SELECT count(*) = 2 FROM t') or die 'rows do not come';
is($new->safe_psql('b', 'SELECT * FROM t ORDER BY id'), "1|[1,2]|{3:4}/9\n2|[3,4]|{}/9", 'from one database of a server to another');
$new->safe_psql('b', 'DROP SUBSCRIPTION from_pgvector');

no_crash($new, 'replication');
$_->stop for grep { defined } $new, $twin, $other;
done_testing();
