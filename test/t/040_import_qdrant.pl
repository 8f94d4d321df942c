# SPDX-License-Identifier: PostgreSQL
# tools/import-qdrant: what comes out of an export is in the table letter for letter, and what cannot be loaded is told by its line.
use strict;
use warnings FATAL => 'all';
use utf8;
use FindBin;
use lib "$FindBin::RealBin/../perl";
use VecdbTest;
use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => 'python3 is not installed' if system('python3 --version >/dev/null 2>&1') != 0;

my $tool = "$FindBin::RealBin/../../tools/import-qdrant";
my $dir = PostgreSQL::Test::Utils::tempdir();
my $node = new_node('import');
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION vecdb');
my $json = JSON::PP->new->canonical->allow_nonref;

# Lines are octets here and everywhere: what the tool is given and what it prints.
sub bytes { my ($text) = @_; utf8::encode($text) if utf8::is_utf8($text); $text =~ s/<FF>/\xff/g; return $text }
sub sql { my ($q) = @_; my $r = $node->safe_psql('postgres', bytes($q)); return bytes($r) }

# import([arguments], input): status, output, errors.
sub import_points
{
	my ($arguments, $input) = @_;
	my ($out, $err) = ('', '');
	local $ENV{PGHOST} = $node->host;
	local $ENV{PGPORT} = $node->port;
	local $ENV{PGDATABASE} = 'postgres';
	IPC::Run::run([ $tool, map { bytes($_) } @$arguments ], '<', \bytes($input // ''), '>', \$out, '2>', \$err);
	return ($? >> 8, $out, $err);
}

sub file
{
	my ($name, $text) = @_;
	open my $f, '>:raw', "$dir/$name" or die;
	print $f bytes($text);
	close $f;
	return "$dir/$name";
}

# --- a new table ---
my $lines = join '', map { qq({"id":$_,"payload":{"n":$_,"even":) . ($_ % 2 ? 'false' : 'true') . qq(},"vector":[$_.5,-$_,1e-3]}\n) } 1 .. 200;
my ($status, $out, $err) = import_points([ 'items', file('items.jsonl', $lines) ]);
is($status, 0, 'a good file: status 0');
is($err, '', 'nothing on stderr, no progress bar');
like($out, qr/^"items": 200 rows loaded in .* rows\/s\)\n  embedding vector\(3\), index hnsw for cosine\n$/, 'the summary');
is(sql('SELECT count(*), sum(id), min(embedding::text), max((payload->>$$n$$)::int), count(*) FILTER (WHERE payload @> $${"even":true}$$) FROM items'),
	'200|20100|[1.5,-1,0.001]|200|100', 'all rows as they were');
is(sql(q{SELECT string_agg(pg_get_indexdef(indexrelid), '; ' ORDER BY indexrelid::regclass::text) FROM pg_index WHERE indrelid = 'items'::regclass}),
	'CREATE INDEX items_embedding_idx ON public.items USING hnsw (embedding vector_cosine_ops); '
	. 'CREATE INDEX items_payload_idx ON public.items USING gin (payload jsonb_path_ops); '
	. 'CREATE UNIQUE INDEX items_pkey ON public.items USING btree (id)', 'its indexes');
is(sql('SELECT string_agg(attname || $$ $$ || format_type(atttypid, atttypmod), $$, $$ ORDER BY attnum) FROM pg_attribute WHERE attrelid = $$items$$::regclass AND attnum > 0'),
	'id bigint, embedding vector(3), payload jsonb', 'its columns');
is(sql('SELECT reltuples FROM pg_class WHERE relname = $$items$$'), '200', 'analyzed');
is(sql(q{SELECT array_agg(id) FROM vecdb.search('items', 'embedding', NULL::bigint, '[7.5,-7,0.001]', 1)}), '{7}', 'vecdb.search finds a row');

# --- forms of input ---
my @points = map { { id => $_, vector => [ $_, 1 ], payload => { t => "x$_" } } } 1 .. 5;
my $answer = { result => { points => \@points, next_page_offset => 6 }, status => 'ok', time => 0.001 };
my $wanted = '1:[1,1]:x1,2:[2,1]:x2,3:[3,1]:x3,4:[4,1]:x4,5:[5,1]:x5';
sub content { my ($t) = @_; return sql("SELECT string_agg(id || ':' || embedding || ':' || (payload->>'t'), ',' ORDER BY id) FROM $t") }
my %form = (
	answer => $json->encode($answer) . "\n",
	two_answers => join("\n", map { $json->encode({ result => { points => $_ } }) } [ @points[ 0 .. 2 ] ], [ @points[ 3, 4 ] ]),
	pretty => JSON::PP->new->pretty->encode($answer),
	list => $json->encode(\@points),
	pretty_list => JSON::PP->new->pretty->encode(\@points),
	lines => join("\r\n", map { $json->encode($_) } @points),
	bom_and_gaps => chr(0xfeff) . join("\n\n", map { $json->encode($_) } @points) . "\n\n",
	unnamed => join("\n", map { $json->encode({ %$_, vector => { '' => $_->{vector} } }) } @points),
);
for my $name (sort keys %form)
{
	($status, $out, $err) = import_points([ "form_$name", '-' ], $form{$name});
	is("$status$err", '0', "$name: status 0");
	is(content("form_$name"), $wanted, "$name: rows");
}
for my $packer ('gzip', 'zstd')
{
	SKIP:
	{
		skip "$packer is not installed", 2 if system("$packer --version >/dev/null 2>&1") != 0;
		my $file = file("packed_$packer", $form{lines});
		system("$packer -c < $file > $file.packed") == 0 or die;
		($status, $out, $err) = import_points([ "packed_$packer", "$file.packed" ]);
		is("$status$err", '0', "$packer: status 0");
		is(content("packed_$packer"), $wanted, "$packer: rows");
		($status, $out, $err) = import_points([ "packed_$packer" ], slurp_file("$file.packed"));
		like("$status $err", qr/^2 .*standard input is compressed: $packer -dc/, "$packer: not from a pipe");
		truncate("$file.packed", (-s "$file.packed") - 6);
		($status, $out, $err) = import_points([ "torn_$packer", "$file.packed" ]);
		is($status, 1, "$packer: a torn file is an error");
		is(sql("SELECT to_regclass('torn_$packer') IS NULL"), 't', "$packer: and nothing is loaded");
	}
}

# --- ids ---
my $uuid = '550e8400-e29b-41d4-a716-446655440000';
($status, $out, $err) = import_points([ 'uuids' ], qq({"id":"$uuid","vector":[1]}\n{"id":"550E8400E29B41D4A716446655440001","vector":[2]}\n));
is("$status$err", '0', 'UUIDs');
is(sql('SELECT string_agg(id::text, $$ $$ ORDER BY id) FROM uuids'), '550e8400-e29b-41d4-a716-446655440000 550e8400-e29b-41d4-a716-446655440001', 'in both spellings');
($status, $out, $err) = import_points([ '--id-type', 'text', 'texts' ], qq({"id":"a\\tb","vector":[1]}\n{"id":7,"vector":[2]}\n));
is("$status$err" . sql('SELECT string_agg(to_json(id)::text, $$ $$ ORDER BY id) FROM texts'), '0"7" "a\tb"', 'text, and numbers as text');

# --- vectors ---
($status, $out, $err) = import_points([ '--vector', 'image', '--vector', 'words', '--metric', 'Dot', 'named' ], <<'L');
{"id":1,"vector":{"image":[1,2],"words":{"indices":[7,2],"values":[0.5,1.5]},"other":[9]}}
{"id":2,"vector":{"words":{"indices":[3,999999999],"values":[0,-1]}}}
{"id":3,"vector":{"image":[3,4]},"payload":null}
L
is("$status$err", '0', 'named vectors, dense and sparse');
like($out, qr/image vector\(2\), index hnsw for dot\n  words sparsevec\(1000000000\), index hnsw for inner product\n/, 'of both kinds');
is(sql('SELECT string_agg(concat_ws($$ $$, id, image, words, payload), $$; $$ ORDER BY id) FROM named'),
	'1 [1,2] {3:1.5,8:0.5}/1000000000 {}; 2 {1000000000:-1}/1000000000 {}; 3 [3,4] {}', 'rows');
($status, $out, $err) = import_points([ '--sparse-dims', '10', '--sparse-fold', '--vector', 'w', 'folded' ], '{"id":1,"vector":{"w":{"indices":[3,13,29],"values":[1,2,4]}}}');
is(sql('SELECT words FROM (SELECT w AS words FROM folded) f'), '{4:3,10:4}/10', '--sparse-fold adds up');
for my $type (qw(halfvec int8vec))
{
	($status, $out, $err) = import_points([ '--type', $type, '--index', 'ivf', '--metric', 'euclid', "as_$type" ], qq({"id":1,"vector":[1,-2,127]}\n));
	is("$status$err" . sql("SELECT embedding FROM as_$type"), '0[1,-2,127]', "--type $type");
	is(sql("SELECT count(*) FROM pg_opclass WHERE oid = (SELECT indclass[0] FROM pg_index WHERE indexrelid = 'as_${type}_embedding_idx'::regclass) AND opcname = '${type}_l2_ops'"), '1', "$type: index for L2");
}
is((import_points([ '--index', 'none', '--no-payload-index', '--no-payload', 'bare' ], '{"id":1,"vector":[0.1]}'))[0]
	. sql('SELECT count(*) FROM pg_index WHERE indrelid = $$bare$$::regclass') . sql('SELECT count(*) FROM pg_attribute WHERE attrelid = $$bare$$::regclass AND attnum > 0'), '012', 'no index, no payload');
like((import_points([ 'zeros' ], qq({"id":1,"vector":[0,0]}\n{"id":2,"vector":[0,1]}\n)))[1], qr/1 vector of zeros: no index for cosine finds them/, 'zero vectors are told');

# --- hostile strings ---
my $nasty = "tab\there\nnewline \\N \\. \\\\ 'single' \"double\" \$\$ ; DROP TABLE items; -- \x7f é 漢字 😀 \\u0000 is text here";
for my $table ("we\"ird 'na\\me; DROP TABLE items; --", 'Ünïcode', '-lead', 'a.b')
{
	($status, $out, $err) = import_points([ '--id-column', "i\"d", '--vector-column', "v'\\", '--payload-column', '$1', '--', $table ],
		$json->encode({ id => 1, vector => [1], payload => { text => $nasty, $nasty => [ $nasty, { a => undef } ] } }));
	is("$status$err", '0', "table $table");
	my $quoted = '"' . $table =~ s/"/""/gr . '"';
	is(sql(qq{SELECT "\$1" FROM $quoted WHERE "i""d" = 1 AND "v'\\" = '[1]'}) eq
		sql('SELECT $q$' . $json->encode({ text => $nasty, $nasty => [ $nasty, { a => undef } ] }) . '$q$::jsonb'), 1, "table $table: its payload letter for letter");
}
is((import_points([ '--schema', 'vecdb', '--schema', 's"1', 't' ], '{"id":1,"vector":[1]}'))[0], 1, 'no such schema');
sql('CREATE SCHEMA "s""1"');
is((import_points([ '--schema', 's"1', 't' ], '{"id":1,"vector":[1]}'))[0] . sql('SELECT count(*) FROM "s""1".t'), '01', 'a schema');
is((import_points([ '--strip-nul', 'nuls' ], '{"id":1,"vector":[1],"payload":{"a\u0000b":["c\u0000","\\\\u0000"]}}'))[0] . sql('SELECT payload FROM nuls'),
	'0{"ab": ["c", "\\\\u0000"]}', '--strip-nul');
like((import_points([ 'items; DROP TABLE items' ], '{"id":1,"vector":[1]}'))[1], qr/^"items; DROP TABLE items": 1 row/, 'a name is a name');
is(sql('SELECT count(*) FROM items'), '200', 'and the table stays');

# --- lines that cannot be loaded ---
my @bad = (
	[ '{"id":1,"vector":[1,2', qr/not JSON: .* at character \d+ \(the line ends too early\)/ ],
	[ 'hello', qr/not JSON/ ],
	[ '"text"', qr/no JSON object/ ],
	[ '[1]', qr/no JSON object/ ],
	[ '{"id":1,"vector":[1,2],"payload":{"a":"<FF>"}}', qr/not UTF-8/ ],
	[ '{"id":1,"vector":[1,2,3]}', qr/wrong dimension: 3, not 2/ ],
	[ '{"id":1,"vector":[]}', qr/wrong dimension: 0, not 2/ ],
	[ '{"id":1,"payload":{}}', qr/there is no vector/ ],
	[ '{"id":1,"vector":null}', qr/there is no vector/ ],
	[ '{"id":1,"vector":[1,NaN]}', qr/NaN is no number/ ],
	[ '{"id":1,"vector":[1,-Infinity]}', qr/-Infinity is no number/ ],
	[ '{"id":1,"vector":[1,1e39]}', qr/out of range for type vector/ ],
	[ '{"id":1,"vector":[1,1e999]}', qr/out of range for type vector/ ],
	[ '{"id":1,"vector":[1,' . '9' x 400 . ']}', qr/out of range for type vector/ ],
	[ '{"id":1,"vector":[1,"2"]}', qr/no list of numbers/ ],
	[ '{"id":1,"vector":[1,null]}', qr/no list of numbers/ ],
	[ '{"id":1,"vector":[1,true]}', qr/no list of numbers/ ],
	[ '{"id":1,"vector":[[1,2],[3,4]]}', qr/a list of vectors|wrong dimension|no list of numbers/ ],
	[ '{"id":1,"vector":{"indices":[1],"values":[2]}}', qr/sparse, others are dense/ ],
	[ '{"id":1,"vector":"[1,2]"}', qr/no list of numbers/ ],
	[ '{"vector":[1,2]}', qr/there is no id/ ],
	[ '{"id":"550e8400-e29b-41d4-a716-446655440000","vector":[1,2]}', qr/is not an integer/ ],
	[ '{"id":1.0,"vector":[1,2]}', qr/is not an integer/ ],
	[ '{"id":true,"vector":[1,2]}', qr/is not an integer/ ],
	[ '{"id":9223372036854775808,"vector":[1,2]}', qr/out of range for type bigint/ ],
	[ '{"id":100,"vector":[1,2]}', qr/the id 100 stands in an earlier line/ ],
	[ '{"id":1,"vector":[1,2],"payload":[1]}', qr/the payload is no JSON object/ ],
	[ '{"id":1,"vector":[1,2],"payload":{"a":"\u0000"}}', qr/U\+0000/ ],
	[ '{"id":1,"vector":[1,2],"payload":{"a":"\ud800"}}', qr/surrogate/ ],
	[ '{"id":1,"vector":[1,2],"payload":{"a":1e999}}', qr/number of the payload is out of range/ ],
	[ '{"id":1,"vector":[1,2],"payload":' . '[' x 100000 . '}', qr/not JSON|too deep/ ],
);
my $first = qq({"id":100,"vector":[1,2]}\n);
my $all = $first . join('', map { "$_->[0]\n" } @bad) . qq({"id":101,"vector":[3,4]}\n);
($status, $out, $err) = import_points([ '--on-error', 'skip', 'bad', file('bad.jsonl', $all) ]);
is($status, 3, 'skipped lines: status 3');
like($out, qr/^"bad": 2 rows loaded in .*; 31 lines skipped\n/, 'and their number');
my @told = split /\n/, $err;
is(scalar(@told), scalar(@bad), 'a line for each');
for my $i (0 .. $#bad)
{
	like($told[$i] // '', qr/^line @{[ $i + 2 ]}(, point 1)?: .*$bad[$i][1]/, 'skipped: ' . substr($bad[$i][0], 0, 60));
}
is(sql('SELECT string_agg(id || $$:$$ || embedding, $$ $$ ORDER BY id) FROM bad'), '100:[1,2] 101:[3,4]', 'the good ones are there');
for my $i (0 .. $#bad)
{
	($status, $out, $err) = import_points([ 'stopped' ], "$first$bad[$i][0]\n");
	like("$status $err", qr/^1 import-qdrant: line 2(, point 1)?: .*$bad[$i][1].*\n  nothing is loaded\n$/, 'stops: ' . substr($bad[$i][0], 0, 60));
}
is(sql('SELECT to_regclass($$stopped$$) IS NULL'), 't', 'not even the table');
($status, $out, $err) = import_points([ '--on-error', 'skip', 'empty' ], "x\n{}\n");
is("$status" . sql('SELECT to_regclass($$empty$$) IS NULL'), '1t', 'only bad lines: an error');
like((import_points([ 'empty' ], ''))[2], qr/the input has no points\n  nothing is loaded/, 'no lines: an error');
like((import_points([ 'x' ], '{"id":1,"vector":{"a":[1],"b":[2]}}'))[2], qr/the vectors have names \(a, b\): say --vector NAME/, 'named vectors without --vector');
like((import_points([ '--vector', 'c', 'x' ], '{"id":1,"vector":{"a":[1],"b":[2]}}'))[2], qr/line 1: there is no vector of the name c/, 'another name');

# the reject file: what it holds can be mended and loaded
($status, $out, $err) = import_points([ '--on-error', 'skip', '--rejects', "$dir/rejects", 'mend', file('mend.jsonl', qq({"id":1,"vector":[1]}\n{"id":2,"vector":[NaN]}\n{"id":3}\n)) ]);
is("$status$err", '3', 'reasons go to the file alone');
my @rejects = map { $json->decode($_) } split /\n/, slurp_file("$dir/rejects");
is_deeply([ map { "$_->{line} $_->{input}" } @rejects ], [ '2 {"id":2,"vector":[NaN]}', '3 {"id":3}' ], 'lines and numbers');
like($rejects[0]{reason}, qr/^NaN is no number/, 'and reasons');
($status, $out, $err) = import_points([ '--existing', 'skip', 'mend' ], join("\n", map { $_->{input} =~ s/NaN|(?<=3)(?=\})/$& ? 5 : ',"vector":[6]'/er } @rejects));
is("$status$err" . sql('SELECT string_agg(embedding::text, $$$$ ORDER BY id) FROM mend'), '0[1][5][6]', 'mended and loaded');

# --- duplicates, also out of order ---
($status, $out, $err) = import_points([ '--on-error', 'skip', 'twice' ], join '', map { qq({"id":$_,"vector":[$_]}\n) } 5, 6, 9, 6, 7, 7, -3, 5, 9, -3, 10);
is($status . sql('SELECT array_agg(id ORDER BY id) FROM twice'), '3{-3,5,6,7,9,10}', 'each id once');
is(join(',', $err =~ /^line (\d+): the id/mg), '4,6,8,9,10', 'the later ones are refused');

# --- a table that exists ---
sql(q{CREATE TABLE there (name text DEFAULT 'n', emb halfvec(2), key int PRIMARY KEY, doc jsonb); INSERT INTO there VALUES ('old', '[7,7]', 1, '{"old":1}')});
my $three = join '', map { qq({"id":$_,"vector":[$_,0.5],"payload":{"n":$_}}\n) } 0 .. 2;
($status, $out, $err) = import_points([ 'there' ], $three);
like("$status $err", qr/^1 .*duplicate key value violates unique constraint "there_pkey"\n.*Key \(key\)=\(1\) already exists/, 'an id that is there is an error');
is(sql('SELECT count(*) FROM there'), '1', 'and nothing is loaded');
($status, $out, $err) = import_points([ '--existing', 'skip', 'there' ], $three);
like("$status $out", qr/^0 "there": 2 rows loaded .*; 1 were there already/, '--existing skip');
is(sql('SELECT string_agg(concat_ws($$ $$, name, emb, key, doc), $$; $$ ORDER BY key) FROM there'), 'n [0,0.5] 0 {"n": 0}; old [7,7] 1 {"old": 1}; n [2,0.5] 2 {"n": 2}', 'keeps the row');
($status, $out, $err) = import_points([ '--existing', 'update', 'there' ], $three);
is("$status$err" . sql('SELECT string_agg(concat_ws($$ $$, name, emb, key, doc), $$; $$ ORDER BY key) FROM there'), '0n [0,0.5] 0 {"n": 0}; old [1,0.5] 1 {"n": 1}; n [2,0.5] 2 {"n": 2}', '--existing update');
like((import_points([ 'there' ], '{"id":3,"vector":[1,2,3]}'))[2], qr/line 1: wrong dimension: 3, not 2/, 'its dimensions count');
like((import_points([ 'there' ], '{"id":3000000000,"vector":[1,2]}'))[2], qr/line 1: the id 3000000000 is out of range for type integer/, 'and the type of its key');
like((import_points([ '--vector-column', 'nix', 'there' ], '{"id":3,"vector":[1,2]}'))[2], qr/has no column "nix"/, 'a column that is not there');
sql('CREATE TABLE two (a vector(1), b vector(1), id uuid PRIMARY KEY)');
like((import_points([ '--no-payload', 'two' ], qq({"id":"$uuid","vector":[1]})))[2], qr/has 2 columns that may be its vector column: see --vector-column/, 'two columns: which?');
is((import_points([ '--no-payload', '--vector-column', 'b', 'two' ], qq({"id":"$uuid","vector":[1],"payload":{"a":1}})))[0] . sql('SELECT id, a IS NULL, b FROM two'), "0$uuid|t|[1]", 'that one');
like((import_points([ '--vector-column', 'b', 'two' ], qq({"id":"$uuid","vector":[1]})))[2], qr/no jsonb column: see --payload-column or --no-payload/, 'no place for the payload');
sql(q{CREATE TABLE open (id bigint PRIMARY KEY, v vector, payload jsonb)});
is((import_points([ 'open' ], '{"id":1,"vector":[1,2,3]}'))[0] . sql('SELECT v FROM open'), '0[1,2,3]', 'a column without dimensions');
sql(q{SELECT vecdb.create_collection('made', 3, 'cosine')});
is((import_points([ 'made' ], '{"id":1,"vector":[1,2,3],"payload":{"a":1}}'))[0] . sql('SELECT count(*) FROM made'), '01', 'a collection of vecdb.create_collection');

# --- batches ---
($status, $out, $err) = import_points([ '--batch', '2', 'batched' ], $lines . "x\n");
like("$status $err", qr/^1 .*line 201: not JSON.*\n  200 rows of earlier batches are in the table; to go on: --existing skip/, 'stopped after batches');
is(sql('SELECT count(*) FROM batched'), '200', 'which stay');
($status, $out, $err) = import_points([ '--batch', '150', '--existing', 'skip', 'batched' ], $lines . qq({"id":201,"vector":[1,2,3]}\n));
like("$status$err $out", qr/^0 "batched": 1 row loaded .*; 200 were there already/, 'and it goes on');
($status, $out, $err) = import_points([ '--batch', '64', 'batched2' ], $lines);
is("$status$err" . sql('SELECT count(*) FROM batched2') . sql(q{SELECT count(*) FROM pg_index WHERE indrelid = 'batched2'::regclass}), '02003', 'batches, then indexes');

# --- stopping ---
{
	my ($in, $o, $e) = ($lines, '', '');
	local @ENV{qw(PGHOST PGPORT PGDATABASE)} = ($node->host, $node->port, 'postgres');
	my $run = IPC::Run::start([ $tool, 'interrupted' ], '<', \$in, '>', \$o, '2>', \$e);
	$run->pump while length $in;
	wait_for($node, q{SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE 'COPY "interrupted"%'});
	$run->signal('INT');
	eval { $run->finish };
	like($e, qr/stopped\n  nothing is loaded\n$/, 'interrupted: it says so');
	is(sql('SELECT to_regclass($$interrupted$$) IS NULL'), 't', 'and nothing is loaded');
}
($status, $out, $err) = import_points([ '--dbname', 'nowhere', 'x' ], $lines);
like("$status $err", qr/^1 .*database "nowhere" does not exist/, 'no such database');
sql('CREATE DATABASE plain');
($status, $out, $err) = import_points([ '--dbname', 'plain', 'x' ], $lines);
like("$status $err", qr/^1 .*this database does not have vecdb: CREATE EXTENSION vecdb/, 'no vecdb');

# --- the rest ---
($status, $out, $err) = import_points([ '--check', 'none' ], "$lines\nx\n");
like("$status $out $err", qr/^3 200 good points, 1 bad\n line 202: not JSON/, '--check');
is(sql('SELECT to_regclass($$none$$) IS NULL'), 't', '--check loads nothing');
($status, $out, $err) = import_points([ '--quiet', 'quiet' ], $lines);
is("$status$out$err", '0', '--quiet');
for my $case ([ [], qr/name the table/ ], [ [ 'x', 'y', 'z' ], qr/one table and one file, not z too/ ], [ [ '--odd', 'x' ], qr/unrecognized arguments: --odd/ ], [ [ '--metric', 'odd', 'x' ], qr/invalid choice: 'odd'/ ],
	[ [ '--batch', '0', 'x' ], qr/--batch must be at least 1/ ], [ [ 'x', "$dir/absent" ], qr/absent: No such file/ ])
{
	($status, $out, $err) = import_points($case->[0]);
	like("$status $err", qr/^2 import-qdrant: .*$case->[1]/, "usage: @{$case->[0]}");
}
like((import_points([ '--help' ]))[1], qr/^Loads points .*--on-error/s, '--help');
# Pinecone, Milvus
is((import_points([ '--id-type', 'text', '--vector-key', 'values', '--payload-key', 'metadata', 'pinecone' ], '{"id":"a","values":[1,2],"metadata":{"k":1}}'))[0]
	. sql('SELECT * FROM pinecone'), '0a|[1,2]|{"k": 1}', 'records of Pinecone');
is((import_points([ '--id-key', 'pk', '--vector-key', 'emb', '--payload-key', '*', 'milvus' ], '{"pk":5,"emb":[1,2],"title":"t","n":1}'))[0]
	. sql('SELECT * FROM milvus'), '05|[1,2]|{"n": 1, "title": "t"}', 'entities of Milvus');

# --- the commands of docs/from-qdrant.md, with a curl that plays Qdrant: two pages, the second one asked for by its offset ---
{
	mkdir "$dir/bin";
	file('bin/curl', <<'SH');
#!/bin/sh
case "$*" in
	*http://qdrant:6333/collections/things/points/scroll*'"offset": null'*) echo '{"result":{"points":[{"id":"550e8400-e29b-41d4-a716-446655440000","vector":[1,2],"payload":{"a":1}}],"next_page_offset":"550e8400-e29b-41d4-a716-446655440001"}}' ;;
	*'"with_vector": true'*'"offset": "550e8400-e29b-41d4-a716-446655440001"'*) echo '{"result":{"points":[{"id":"550e8400-e29b-41d4-a716-446655440001","vector":[3,4],"payload":null}],"next_page_offset":null}}' ;;
	*) echo "curl was called with $*" >&2; exit 22 ;;
esac
SH
	chmod 0755, "$dir/bin/curl";
	my $script = file('export.sh', "cd '$dir'\n" . doc_block('from-qdrant.md', 'export') =~ s/tools\/import-qdrant/'$tool'/r =~ s/\bitems\b/exported/r);
	local @ENV{qw(PGHOST PGPORT PGDATABASE PATH QDRANT COLLECTION)} = ($node->host, $node->port, 'postgres', "$dir/bin:$ENV{PATH}", 'http://qdrant:6333', 'things');
	my ($o, $e);
	IPC::Run::run([ 'sh', $script ], '<', '/dev/null', '>', \$o, '2>', \$e);
	is("$?$e", '0', 'the export of docs/from-qdrant.md');
	is(sql('SELECT string_agg(right(id::text, 1) || embedding || payload, $$ $$ ORDER BY id) FROM exported'), '0[1,2]{"a": 1} 1[3,4]{}', 'and what it loaded');
}

# The bar is for terminals.
SKIP:
{
	skip 'no command script', 1 if system('script --version >/dev/null 2>&1') != 0;
	my $big = file('big.jsonl', join '', map { qq({"id":$_,"vector":[$_,1,2,3,4,5,6,7,8,9]}\n) } 1 .. 20000);
	local @ENV{qw(PGHOST PGPORT PGDATABASE)} = ($node->host, $node->port, 'postgres');
	my $seen = `script -qec "$tool --index none bar $big" /dev/null </dev/null`;
	like($seen, qr/\r\x1b\[K *[\d,]+ rows +[\d,]+ rows\/s +\d+% \[#* *\] +\d+:\d\d left/, 'a progress bar');
}

$node->stop;
done_testing();
