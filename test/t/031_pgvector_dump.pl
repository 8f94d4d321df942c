# SPDX-License-Identifier: PostgreSQL
# Dumps of a pgvector database: restored with the shim as they are, and without it after the extension's name is taken out, by the
# commands of docs/migrate-from-pgvector.md. The data is test/data/pgvector_dump.sql; what queries must return is computed here.
# Where PGVECTOR_INSTALL names an installation that has pgvector, that is the source; else vecdb with the shim stands for it.
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
my $text = slurp_file($dump);
my $pgvector = pgvector_installation();
note($pgvector ? "source: pgvector in $pgvector" : 'source: vecdb with the shim (PGVECTOR_INSTALL is not set)');

my $new = new_node('new');
my $old = $pgvector ? PostgreSQL::Test::Cluster->new('old', install_path => $pgvector) : PostgreSQL::Test::Cluster->new('old');
$old->init;
$_->start for $old, $new;
$old->safe_psql('postgres', 'CREATE DATABASE shop TEMPLATE template0');
sub load_old { return $old->run_log([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', connection($old, 'shop'), '-f', $dump ]) }
ok(load_old(), 'the source takes the dump');

sub connection
{
	my ($node, $db) = @_;
	return sprintf('host=%s port=%s dbname=%s', $node->host, $node->port, $db);
}

# --- the rows, and what they must give ---
my ($copy) = $text =~ /^COPY shop\.items \(([^)]*)\) FROM stdin;\n(.*?)^\\\.$/ms ? $2 : die;
my ($columns) = $text =~ /^COPY shop\.items \(([^)]*)\)/m;
my @items = map { my %row; @row{ split /, /, $columns } = split /\t/; \%row } split /\n/, $copy;
is(scalar(@items), 60, 'rows in the dump');

sub dense { my ($v) = @_; return $v eq '\N' ? undef : [ split /,/, $v =~ s/[\[\]]//gr ] }
sub sparse
{
	my ($v) = @_;
	return undef if $v eq '\N';
	my ($elements, $dims) = $v =~ m/^\{(.*)\}\/(\d+)$/ or die $v;
	my @x = (0) x $dims;
	for (split /,/, $elements) { my ($i, $value) = split /:/; $x[$i - 1] = $value }
	return \@x;
}
sub bits { my ($v) = @_; return $v eq '\N' ? undef : [ split //, $v ] }
sub sum { my $s = 0; $s += $_ for @_; return $s }
sub dot { my ($a, $b) = @_; return sum(map { $a->[$_] * $b->[$_] } 0 .. $#$a) }
my %distance = (
	'<->' => sub { my ($a, $b) = @_; return sqrt(sum(map { ($a->[$_] - $b->[$_])**2 } 0 .. $#$a)) },
	'<#>' => sub { return -dot(@_) },
	# a vector of length zero is in no index for cosine
	'<=>' => sub { my ($a, $b) = @_; my $n = sqrt(dot($a, $a) * dot($b, $b)); return $n ? 1 - dot($a, $b) / $n : undef },
	'<+>' => sub { my ($a, $b) = @_; return sum(map { abs($a->[$_] - $b->[$_]) } 0 .. $#$a) },
	'<~>' => sub { my ($a, $b) = @_; return sum(map { $a->[$_] != $b->[$_] ? 1 : 0 } 0 .. $#$a) },
	'<%>' => sub { my ($a, $b) = @_; my $or = sum(map { $a->[$_] | $b->[$_] } 0 .. $#$a); my $and = sum(map { $a->[$_] & $b->[$_] } 0 .. $#$a);
		return $and ? 1 - $and / $or : 1 });

my @q6 = (10, -20, 5, 30, -15, 2.5);
my $q6 = '[' . join(',', @q6) . ']';
my $qs = '{1:2,5:1.5,8:-3,20:4}/30';
my $qb = '110010101001';
# index => expression, operator, query as SQL, query as numbers, row to numbers, condition
my %queries;
my %short = (l2 => '<->', ip => '<#>', cosine => '<=>', l1 => '<+>', hamming => '<~>', jaccard => '<%>');
for my $index ($text =~ /^CREATE INDEX (items_(?:embedding|half|sparse|bits)_\w+)/mg)
{
	my ($column, $name) = $index =~ /^items_(\w+?)_(?:hnsw|ivfflat)_(\w+)$/ or die $index;
	my $parse = $column eq 'sparse' ? \&sparse : $column eq 'bits' ? \&bits : \&dense;
	my $query = $column eq 'sparse' ? $qs : $column eq 'bits' ? $qb : $q6;
	$queries{$index} = [ $column, $short{$name}, $column eq 'bits' ? "B'$query'" : "'$query'", $parse->($query), sub { $parse->($_[0]->{$column}) }, '' ];
}
is(scalar(keys %queries), 21, 'indexes of each operator class of pgvector');
$queries{items_as_half} = [ 'embedding::halfvec(6)', '<->', "'$q6'", \@q6, sub { dense($_[0]->{embedding}) }, '' ];
$queries{items_as_bits} = [ 'binary_quantize(embedding)::bit(6)', '<~>', "B'101010'", bits('101010'), sub { [ map { $_ > 0 ? 1 : 0 } @{ dense($_[0]->{embedding}) } ] }, '' ];
$queries{items_as_part} = [ 'subvector(embedding, 1, 3)::vector(3)', '<=>', "'[1,2,3]'", [ 1, 2, 3 ], sub { [ @{ dense($_[0]->{embedding}) }[ 0 .. 2 ] ] }, '' ];
$queries{items_free_three} = [ 'free::vector(3)', '<->', "'[1,2,3]'", [ 1, 2, 3 ],
	sub { my $v = dense($_[0]->{free}); return $v && @$v == 3 ? $v : undef }, 'WHERE vector_dims(free) = 3' ];

# What is compared between source and copy: definitions and rows, as text.
my $definitions = q{
	SELECT indexrelid::regclass, pg_get_indexdef(indexrelid), indisvalid, indisready FROM pg_index
		WHERE indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'shop'::regnamespace) ORDER BY indexrelid::regclass::text COLLATE "C";
	SELECT attrelid::regclass, attname, format_type(atttypid, atttypmod), atttypmod, attstorage, attgenerated, pg_get_expr(adbin, adrelid)
		FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
		WHERE attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'shop'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')) AND attnum > 0
		ORDER BY attrelid::regclass::text COLLATE "C", attnum;
	SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'shop'::regnamespace ORDER BY conname COLLATE "C", contypid;
	SELECT pg_get_viewdef('shop.nearest'), pg_get_viewdef('shop.centre');
	SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'shop'::regnamespace AND prokind = 'f' ORDER BY proname COLLATE "C";
	SELECT aggtransfn, aggcombinefn, aggtranstype::regtype FROM pg_aggregate WHERE aggfnoid = 'shop.total'::regproc;
	SELECT pg_get_statisticsobjdef(oid) FROM pg_statistic_ext;
	SELECT polname, pg_get_expr(polqual, polrelid) FROM pg_policy;
	SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal;
	SELECT * FROM shop.items ORDER BY id;
	SELECT * FROM shop.events ORDER BY id;
	SELECT * FROM shop.misc ORDER BY colour;
	SELECT part, mean, total FROM shop.centre ORDER BY part;
	SELECT last_value FROM shop.items_id_seq;
};
my $wanted = $old->safe_psql('shop', $definitions);

sub check
{
	my ($db, $how, $extensions) = @_;
	my $is = $new->safe_psql($db, q{SELECT string_agg(extname, ' ' ORDER BY extname) FROM pg_extension WHERE extname <> 'plpgsql'});
	is($is, $extensions, "$how: extensions");
	same_lines($new->safe_psql($db, $definitions), $wanted, "$how: definitions and rows are those of the source");
	same_lines($new->safe_psql($db, "COPY shop.items ($columns) TO STDOUT"), $copy =~ s/\n$//r, "$how: COPY writes the text that was read");

	# each index by itself, against distances computed here
	my @indexes = sort keys %queries;
	my @wrong;
	for my $index (@indexes)
	{
		my ($expression, $operator, $query, $numbers, $row, $where) = @{ $queries{$index} };
		my @expected = sort { $a <=> $b } grep { defined } map { my $x = $row->($_); $x ? $distance{$operator}->($x, $numbers) : undef } @items;
		my $select = "SELECT id, $expression $operator $query AS d FROM shop.items $where ORDER BY $expression $operator $query";
		my $others = join ', ', map { "shop.$_" } grep { $_ ne $index } @indexes;
		my $out = $new->safe_psql($db, "BEGIN; DROP INDEX $others; SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL extra_float_digits = 1;
			EXPLAIN (COSTS OFF) $select; $select; ROLLBACK");
		my (%seen, @got);
		for (split /\n/, $out) { next unless /^(\d+)\|(.*)$/; push @got, $2; $seen{$1}++ }
		push @wrong, "$index is not used: $out" unless $out =~ /Index Scan using \Q$index\E on items/;
		push @wrong, "$index: " . scalar(@got) . ' rows instead of ' . scalar(@expected) unless @got == @expected && keys %seen == @got;
		my ($bad) = grep { abs($got[$_] - $expected[$_]) > 1e-5 * (1 + abs($expected[$_])) } 0 .. ($#got < $#expected ? $#got : $#expected);
		push @wrong, "$index: row $bad is at $got[$bad] instead of $expected[$bad]" if defined $bad;
	}
	is(join("\n", @wrong), '', "$how: each of " . scalar(@indexes) . ' indexes returns all rows in their order');
	is($new->safe_psql($db, q{SELECT indexrelid::regclass, c FROM pg_index JOIN pg_class i ON i.oid = indexrelid JOIN pg_am a ON a.oid = relam,
		vecdb.check_index(indexrelid) c WHERE amname IN ('hnsw', 'ivfflat') AND relkind = 'i'}), '', "$how: all indexes are sound");

	# what uses the types in other ways
	my @near = sort { $a <=> $b } map { $distance{'<->'}->(dense($_->{embedding}), \@q6) } @items;
	my $near = $new->safe_psql($db, "SELECT string_agg(round(distance::numeric, 3)::text, ' ' ORDER BY distance) FROM shop.search('$q6', 3)");
	is($near, join(' ', map { sprintf('%.3f', $_) } @near[ 0 .. 2 ]), "$how: a function with SET hnsw.ef_search");
	is($new->safe_psql($db, q{SELECT shop.squared('[1,2]', '[4,6]'), round(shop.similarity('[1,0]', '[1,1]')::numeric, 4), vector_dims(shop.total(embedding)) FROM shop.items}), '25|0.7071|6',
		"$how: functions and an aggregate over operators");
	is($new->safe_psql($db, q{BEGIN; UPDATE shop.misc SET colour = '[4,5,6]' WHERE (key).v = '[1,2]' RETURNING colour; ROLLBACK}), '[5,6,7]', "$how: trigger, domain, composite type");
	my ($rc, $out, $err) = $new->psql($db, q{INSERT INTO shop.misc VALUES ('[1000,1,1]')});
	like($err, qr/violates check constraint "colour_check"/, "$how: domain's check");
	is($new->safe_psql($db, q{BEGIN; INSERT INTO shop.items (title, embedding, free) VALUES ('new', '[3,0,4,0,0,0]', '[1]') RETURNING id, half, sparse, unit, signs; ROLLBACK}),
		'61|[1,2,3,4,5,6]|{}/30|[0.6,0,0.8,0,0,0]|101000', "$how: defaults, identity, generated columns");
	is($new->safe_psql($db, q{SELECT count(*) FROM (SELECT id FROM shop.events ORDER BY embedding <=> '[1,2,3,4]') x}), '20', "$how: partitions");
	return;
}

sub new_database
{
	my ($name, $first) = @_;
	$new->safe_psql('postgres', "CREATE DATABASE $name TEMPLATE template0");
	$new->safe_psql($name, $first) if $first;
	return $name;
}

# A block of the page as a user would run it, in a directory of its own.
sub run_block
{
	my ($block, $db) = @_;
	my $dir = PostgreSQL::Test::Utils::tempdir;
	local $ENV{OLD} = connection($old, 'shop');
	local $ENV{NEW} = connection($new, $db);
	return command_ok([ 'bash', '-e', '-o', 'pipefail', '-c', "cd '$dir' && " . doc_block($page, $block) ], "commands of the page: $block");
}

# --- as it is, with the shim ---
new_database('shim');
ok($new->run_log([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', connection($new, 'shim'), '-f', $dump ]), 'the dump text restores unchanged with the shim');
check('shim', 'plain, shim', 'vecdb vector');
is($new->safe_psql('shim', q{SELECT obj_description(oid, 'pg_extension') FROM pg_extension WHERE extname = 'vector'}), 'vectors of the shop', 'comment on the extension');
run_block('dump with shim', new_database('custom_shim'));
check('custom_shim', 'custom, shim', 'vecdb vector');

# --- after the name was replaced ---
my $renamed = $text =~ s/^(CREATE EXTENSION IF NOT EXISTS|COMMENT ON EXTENSION) vector /$1 vecdb /mgr;
new_database('renamed');
$new->safe_psql('renamed', $renamed);
check('renamed', 'plain, name replaced', 'vecdb');
# A source that is itself a vecdb with the shim has both extensions in its dump; these are then both wanted or both renamed.
run_block('plain dump', new_database('piped'));
check('piped', 'piped', 'vecdb');
run_block('dump', new_database('directory'));
check('directory', 'directory format', 'vecdb');

# --- by sections, and in a schema of its own ---
my $file = PostgreSQL::Test::Utils::tempdir . '/sections';
$old->command_ok([ 'pg_dump', '-Fc', '-f', $file, '-d', connection($old, 'shop') ], 'pg_dump -Fc');
new_database('sections');
command_ok([ 'pg_restore', '--exit-on-error', "--section=$_", '-d', connection($new, 'sections'), $file ], "pg_restore --section=$_") for qw(pre-data data post-data);
check('sections', 'sections, shim', 'vecdb vector');
new_database('apart');
$new->safe_psql('apart', 'CREATE SCHEMA ext; CREATE EXTENSION vecdb SCHEMA ext');
my $apart = $renamed =~ s/public\./ext./gr;
$new->safe_psql('apart', $apart =~ s/WITH SCHEMA public/WITH SCHEMA ext/r);
is($new->safe_psql('apart', q{SET search_path = ext, public; SELECT count(*) FROM (SELECT id FROM shop.items ORDER BY embedding <-> '[1,2,3,4,5,6]') x}), '60', 'an extension in a schema of its own');

# --- settings, as pg_dumpall and pg_dump --create write them ---
$new->safe_psql('postgres', q{CREATE ROLE app LOGIN SUPERUSER;
	ALTER ROLE app SET "ivfflat.probes" TO '7';
	ALTER DATABASE renamed SET "hnsw.ef_search" TO '100';
	ALTER DATABASE renamed SET "ivfflat.iterative_scan" TO 'relaxed_order';
	ALTER ROLE app IN DATABASE renamed SET "hnsw.max_scan_tuples" TO '5000';});
my $show = q{SELECT '[1]'::vector; SHOW hnsw.ef_search; SHOW ivfflat.iterative_scan; SHOW hnsw.max_scan_tuples; SHOW ivfflat.probes};
is($new->safe_psql('renamed', $show, extra_params => [ '-U', 'app' ]), "[1]\n100\nrelaxed_order\n5000\n7", 'settings of database and role');
my ($rc, $out, $err) = $new->psql('renamed', q{SET hnsw.ef_search = 0; SELECT '[1]'::vector; SHOW hnsw.ef_search});
like("$out\n$err", qr/hnsw\.ef_search/, 'a setting out of range is not accepted in silence');

# --- and back ---
$old->safe_psql('postgres', 'DROP DATABASE shop');
$old->safe_psql('postgres', 'CREATE DATABASE shop TEMPLATE template0');
$new->safe_psql('renamed', q{ALTER DATABASE renamed RESET ALL; SELECT setval('shop.items_id_seq', 60)});
run_block('back', 'renamed');
same_lines($old->safe_psql('shop', $definitions), $wanted, 'back: definitions and rows are those of the source');

no_crash($new, 'dump');
$_->stop for $old, $new;
done_testing();
