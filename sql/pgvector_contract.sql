-- What pgvector's clients, dumps and users find in the catalogue: a table of it, and vecdb beside it.
-- The facts are those of pgvector 0.8.6. Left out, since nothing outside an access method refers to them: support functions of
-- its operator classes for hnsw and ivfflat (their numbers, and hnsw_halfvec_support and four like it).
SELECT vector_dims('[1]'::vector);  -- loads the library, so that its settings are there

CREATE TEMP VIEW member AS
    SELECT d.classid, d.objid FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
    WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'vecdb';
CREATE TEMP VIEW actual (kind, object, facts) AS
    SELECT 'type', format_type(t.oid, NULL),
        format('%s bytes, %s, aligned %s, storage %s, category %s, delimiter %s: %s %s %s %s %s %s', typlen, CASE WHEN typbyval THEN 'by value' ELSE 'by reference' END,
               typalign, typstorage, typcategory, typdelim, typinput, typoutput, typreceive, typsend, typmodin, typmodout)
    FROM pg_type t JOIN member ON objid = t.oid AND classid = 'pg_type'::regclass WHERE typelem = 0 AND typtype = 'b'
    UNION ALL
    SELECT 'function', p.oid::regprocedure::text,
        concat_ws(' ', CASE WHEN proretset THEN 'setof' END, format_type(prorettype, NULL), CASE provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END,
                  CASE WHEN proisstrict THEN 'strict' END, CASE proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' ELSE 'unsafe' END,
                  CASE WHEN proleakproof THEN 'leakproof' END, CASE WHEN prosecdef THEN 'definer' END)
    FROM pg_proc p JOIN member ON objid = p.oid AND classid = 'pg_proc'::regclass WHERE prokind = 'f'
    UNION ALL
    SELECT 'aggregate', p.oid::regprocedure::text,
        concat_ws(' ', format_type(prorettype, NULL), 'state', format_type(aggtranstype, NULL), 'from ' || agginitval, 'step', aggtransfn::regproc::text, 'final ' || NULLIF(aggfinalfn::regproc::text, '-'),
                  'combine ' || NULLIF(aggcombinefn::regproc::text, '-'), CASE proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' ELSE 'unsafe' END)
    FROM pg_aggregate a JOIN pg_proc p ON p.oid = aggfnoid JOIN member ON objid = p.oid AND classid = 'pg_proc'::regclass WHERE aggkind = 'n'
    UNION ALL
    SELECT 'operator', o.oid::regoperator::text,
        concat_ws(' ', format_type(o.oprresult, NULL), (SELECT proname FROM pg_proc WHERE oid = o.oprcode), 'commutator ' || c.oprname, 'negator ' || n.oprname,
                  NULLIF(o.oprrest::text, '-'), NULLIF(o.oprjoin::text, '-'), CASE WHEN o.oprcanmerge THEN 'merges' END, CASE WHEN o.oprcanhash THEN 'hashes' END)
    FROM pg_operator o JOIN member ON objid = o.oid AND classid = 'pg_operator'::regclass
    LEFT JOIN pg_operator c ON c.oid = o.oprcom AND c.oprleft = o.oprright AND c.oprright = o.oprleft
    LEFT JOIN pg_operator n ON n.oid = o.oprnegate AND n.oprleft = o.oprleft AND n.oprright = o.oprright
    UNION ALL
    SELECT 'cast', format('%s to %s', format_type(castsource, NULL), format_type(casttarget, NULL)),
        concat_ws(' ', CASE castcontext WHEN 'i' THEN 'implicit' WHEN 'a' THEN 'assignment' ELSE 'explicit' END, CASE WHEN castmethod <> 'f' THEN castmethod::text END, castfunc::regprocedure)
    FROM pg_cast c JOIN member ON objid = c.oid AND classid = 'pg_cast'::regclass
    UNION ALL
    SELECT 'access method', amname, format('%s %s', amtype, amhandler) FROM pg_am a JOIN member ON objid = a.oid AND classid = 'pg_am'::regclass
    UNION ALL
    SELECT 'operator class', format('%s %s', amname, opcname),
        concat_ws(' ', format_type(opcintype, NULL), CASE WHEN opckeytype <> 0 THEN 'stores ' || format_type(opckeytype, NULL) END, CASE WHEN opcdefault THEN 'default' END, 'of family', opfname,
                  (SELECT string_agg(format('%s %s%s', amopstrategy, amopopr::regoperator, ' orders by ' || (SELECT opfname FROM pg_opfamily s WHERE s.oid = amopsortfamily)), ', ' ORDER BY amopstrategy)
                   FROM pg_amop WHERE amopfamily = f.oid AND amoplefttype = opcintype AND amoprighttype = opcintype),
                  (SELECT 'compares by ' || proname FROM pg_amproc JOIN pg_proc p ON p.oid = amproc WHERE amprocfamily = f.oid AND amprocnum = 1 AND amname = 'btree'))
    FROM pg_opclass o JOIN pg_am a ON a.oid = opcmethod JOIN pg_opfamily f ON f.oid = opcfamily JOIN member ON objid = o.oid AND classid = 'pg_opclass'::regclass
    UNION ALL
    SELECT 'method property', format('%s %s', amname, p), COALESCE(pg_indexam_has_property(a.oid, p)::text, 'unknown')
    FROM pg_am a JOIN member ON objid = a.oid AND classid = 'pg_am'::regclass, unnest(ARRAY['can_order', 'can_unique', 'can_multi_col', 'can_exclude', 'can_include']) p
    UNION ALL
    SELECT 'setting', name, concat_ws(' ', vartype, boot_val, min_val || '..' || max_val, array_to_string(enumvals, '|'), context) FROM pg_settings WHERE name ~ '^(hnsw|ivfflat)\.';

CREATE TEMP TABLE contract (kind text, object text, facts text, PRIMARY KEY (kind, object));
COPY contract FROM stdin;
type	halfvec	-1 bytes, by reference, aligned i, storage e, category U, delimiter ,: halfvec_in halfvec_out halfvec_recv halfvec_send halfvec_typmod_in -
type	sparsevec	-1 bytes, by reference, aligned i, storage e, category U, delimiter ,: sparsevec_in sparsevec_out sparsevec_recv sparsevec_send sparsevec_typmod_in -
type	vector	-1 bytes, by reference, aligned i, storage e, category U, delimiter ,: vector_in vector_out vector_recv vector_send vector_typmod_in -
function	array_to_halfvec(double precision[],integer,boolean)	halfvec immutable strict safe
function	array_to_halfvec(integer[],integer,boolean)	halfvec immutable strict safe
function	array_to_halfvec(numeric[],integer,boolean)	halfvec immutable strict safe
function	array_to_halfvec(real[],integer,boolean)	halfvec immutable strict safe
function	array_to_sparsevec(double precision[],integer,boolean)	sparsevec immutable strict safe
function	array_to_sparsevec(integer[],integer,boolean)	sparsevec immutable strict safe
function	array_to_sparsevec(numeric[],integer,boolean)	sparsevec immutable strict safe
function	array_to_sparsevec(real[],integer,boolean)	sparsevec immutable strict safe
function	array_to_vector(double precision[],integer,boolean)	vector immutable strict safe
function	array_to_vector(integer[],integer,boolean)	vector immutable strict safe
function	array_to_vector(numeric[],integer,boolean)	vector immutable strict safe
function	array_to_vector(real[],integer,boolean)	vector immutable strict safe
function	binary_quantize(halfvec)	bit immutable strict safe
function	binary_quantize(vector)	bit immutable strict safe
function	cosine_distance(halfvec,halfvec)	double precision immutable strict safe
function	cosine_distance(sparsevec,sparsevec)	double precision immutable strict safe
function	cosine_distance(vector,vector)	double precision immutable strict safe
function	halfvec(halfvec,integer,boolean)	halfvec immutable strict safe
function	halfvec_accum(double precision[],halfvec)	double precision[] immutable strict safe
function	halfvec_add(halfvec,halfvec)	halfvec immutable strict safe
function	halfvec_avg(double precision[])	halfvec immutable strict safe
function	halfvec_cmp(halfvec,halfvec)	integer immutable strict safe
function	halfvec_combine(double precision[],double precision[])	double precision[] immutable strict safe
function	halfvec_concat(halfvec,halfvec)	halfvec immutable strict safe
function	halfvec_eq(halfvec,halfvec)	boolean immutable strict safe
function	halfvec_ge(halfvec,halfvec)	boolean immutable strict safe
function	halfvec_gt(halfvec,halfvec)	boolean immutable strict safe
function	halfvec_in(cstring,oid,integer)	halfvec immutable strict safe
function	halfvec_l2_squared_distance(halfvec,halfvec)	double precision immutable strict safe
function	halfvec_le(halfvec,halfvec)	boolean immutable strict safe
function	halfvec_lt(halfvec,halfvec)	boolean immutable strict safe
function	halfvec_mul(halfvec,halfvec)	halfvec immutable strict safe
function	halfvec_ne(halfvec,halfvec)	boolean immutable strict safe
function	halfvec_negative_inner_product(halfvec,halfvec)	double precision immutable strict safe
function	halfvec_out(halfvec)	cstring immutable strict safe
function	halfvec_recv(internal,oid,integer)	halfvec immutable strict safe
function	halfvec_send(halfvec)	bytea immutable strict safe
function	halfvec_spherical_distance(halfvec,halfvec)	double precision immutable strict safe
function	halfvec_sub(halfvec,halfvec)	halfvec immutable strict safe
function	halfvec_to_float4(halfvec,integer,boolean)	real[] immutable strict safe
function	halfvec_to_sparsevec(halfvec,integer,boolean)	sparsevec immutable strict safe
function	halfvec_to_vector(halfvec,integer,boolean)	vector immutable strict safe
function	halfvec_typmod_in(cstring[])	integer immutable strict safe
function	hamming_distance(bit,bit)	double precision immutable strict safe
function	hnswhandler(internal)	index_am_handler volatile unsafe
function	inner_product(halfvec,halfvec)	double precision immutable strict safe
function	inner_product(sparsevec,sparsevec)	double precision immutable strict safe
function	inner_product(vector,vector)	double precision immutable strict safe
function	ivfflathandler(internal)	index_am_handler volatile unsafe
function	jaccard_distance(bit,bit)	double precision immutable strict safe
function	l1_distance(halfvec,halfvec)	double precision immutable strict safe
function	l1_distance(sparsevec,sparsevec)	double precision immutable strict safe
function	l1_distance(vector,vector)	double precision immutable strict safe
function	l2_distance(halfvec,halfvec)	double precision immutable strict safe
function	l2_distance(sparsevec,sparsevec)	double precision immutable strict safe
function	l2_distance(vector,vector)	double precision immutable strict safe
function	l2_norm(halfvec)	double precision immutable strict safe
function	l2_norm(sparsevec)	double precision immutable strict safe
function	l2_normalize(halfvec)	halfvec immutable strict safe
function	l2_normalize(sparsevec)	sparsevec immutable strict safe
function	l2_normalize(vector)	vector immutable strict safe
function	sparsevec(sparsevec,integer,boolean)	sparsevec immutable strict safe
function	sparsevec_cmp(sparsevec,sparsevec)	integer immutable strict safe
function	sparsevec_eq(sparsevec,sparsevec)	boolean immutable strict safe
function	sparsevec_ge(sparsevec,sparsevec)	boolean immutable strict safe
function	sparsevec_gt(sparsevec,sparsevec)	boolean immutable strict safe
function	sparsevec_in(cstring,oid,integer)	sparsevec immutable strict safe
function	sparsevec_l2_squared_distance(sparsevec,sparsevec)	double precision immutable strict safe
function	sparsevec_le(sparsevec,sparsevec)	boolean immutable strict safe
function	sparsevec_lt(sparsevec,sparsevec)	boolean immutable strict safe
function	sparsevec_ne(sparsevec,sparsevec)	boolean immutable strict safe
function	sparsevec_negative_inner_product(sparsevec,sparsevec)	double precision immutable strict safe
function	sparsevec_out(sparsevec)	cstring immutable strict safe
function	sparsevec_recv(internal,oid,integer)	sparsevec immutable strict safe
function	sparsevec_send(sparsevec)	bytea immutable strict safe
function	sparsevec_to_halfvec(sparsevec,integer,boolean)	halfvec immutable strict safe
function	sparsevec_to_vector(sparsevec,integer,boolean)	vector immutable strict safe
function	sparsevec_typmod_in(cstring[])	integer immutable strict safe
function	subvector(halfvec,integer,integer)	halfvec immutable strict safe
function	subvector(vector,integer,integer)	vector immutable strict safe
function	vector(vector,integer,boolean)	vector immutable strict safe
function	vector_accum(double precision[],vector)	double precision[] immutable strict safe
function	vector_add(vector,vector)	vector immutable strict safe
function	vector_avg(double precision[])	vector immutable strict safe
function	vector_cmp(vector,vector)	integer immutable strict safe
function	vector_combine(double precision[],double precision[])	double precision[] immutable strict safe
function	vector_concat(vector,vector)	vector immutable strict safe
function	vector_dims(halfvec)	integer immutable strict safe
function	vector_dims(vector)	integer immutable strict safe
function	vector_eq(vector,vector)	boolean immutable strict safe
function	vector_ge(vector,vector)	boolean immutable strict safe
function	vector_gt(vector,vector)	boolean immutable strict safe
function	vector_in(cstring,oid,integer)	vector immutable strict safe
function	vector_l2_squared_distance(vector,vector)	double precision immutable strict safe
function	vector_le(vector,vector)	boolean immutable strict safe
function	vector_lt(vector,vector)	boolean immutable strict safe
function	vector_mul(vector,vector)	vector immutable strict safe
function	vector_ne(vector,vector)	boolean immutable strict safe
function	vector_negative_inner_product(vector,vector)	double precision immutable strict safe
function	vector_norm(vector)	double precision immutable strict safe
function	vector_out(vector)	cstring immutable strict safe
function	vector_recv(internal,oid,integer)	vector immutable strict safe
function	vector_send(vector)	bytea immutable strict safe
function	vector_spherical_distance(vector,vector)	double precision immutable strict safe
function	vector_sub(vector,vector)	vector immutable strict safe
function	vector_to_float4(vector,integer,boolean)	real[] immutable strict safe
function	vector_to_halfvec(vector,integer,boolean)	halfvec immutable strict safe
function	vector_to_sparsevec(vector,integer,boolean)	sparsevec immutable strict safe
function	vector_typmod_in(cstring[])	integer immutable strict safe
aggregate	avg(halfvec)	halfvec state double precision[] from {0} step halfvec_accum final halfvec_avg combine halfvec_combine safe
aggregate	avg(vector)	vector state double precision[] from {0} step vector_accum final vector_avg combine vector_combine safe
aggregate	sum(halfvec)	halfvec state halfvec step halfvec_add combine halfvec_add safe
aggregate	sum(vector)	vector state vector step vector_add combine vector_add safe
operator	*(halfvec,halfvec)	halfvec halfvec_mul commutator *
operator	*(vector,vector)	vector vector_mul commutator *
operator	+(halfvec,halfvec)	halfvec halfvec_add commutator +
operator	+(vector,vector)	vector vector_add commutator +
operator	-(halfvec,halfvec)	halfvec halfvec_sub
operator	-(vector,vector)	vector vector_sub
operator	<#>(halfvec,halfvec)	double precision halfvec_negative_inner_product commutator <#>
operator	<#>(sparsevec,sparsevec)	double precision sparsevec_negative_inner_product commutator <#>
operator	<#>(vector,vector)	double precision vector_negative_inner_product commutator <#>
operator	<%>(bit,bit)	double precision jaccard_distance commutator <%>
operator	<(halfvec,halfvec)	boolean halfvec_lt commutator > negator >= scalarltsel scalarltjoinsel
operator	<(sparsevec,sparsevec)	boolean sparsevec_lt commutator > negator >= scalarltsel scalarltjoinsel
operator	<(vector,vector)	boolean vector_lt commutator > negator >= scalarltsel scalarltjoinsel
operator	<+>(halfvec,halfvec)	double precision l1_distance commutator <+>
operator	<+>(sparsevec,sparsevec)	double precision l1_distance commutator <+>
operator	<+>(vector,vector)	double precision l1_distance commutator <+>
operator	<->(halfvec,halfvec)	double precision l2_distance commutator <->
operator	<->(sparsevec,sparsevec)	double precision l2_distance commutator <->
operator	<->(vector,vector)	double precision l2_distance commutator <->
operator	<=(halfvec,halfvec)	boolean halfvec_le commutator >= negator > scalarlesel scalarlejoinsel
operator	<=(sparsevec,sparsevec)	boolean sparsevec_le commutator >= negator > scalarlesel scalarlejoinsel
operator	<=(vector,vector)	boolean vector_le commutator >= negator > scalarlesel scalarlejoinsel
operator	<=>(halfvec,halfvec)	double precision cosine_distance commutator <=>
operator	<=>(sparsevec,sparsevec)	double precision cosine_distance commutator <=>
operator	<=>(vector,vector)	double precision cosine_distance commutator <=>
operator	<>(halfvec,halfvec)	boolean halfvec_ne commutator <> negator = eqsel eqjoinsel
operator	<>(sparsevec,sparsevec)	boolean sparsevec_ne commutator <> negator = eqsel eqjoinsel
operator	<>(vector,vector)	boolean vector_ne commutator <> negator = eqsel eqjoinsel
operator	<~>(bit,bit)	double precision hamming_distance commutator <~>
operator	=(halfvec,halfvec)	boolean halfvec_eq commutator = negator <> eqsel eqjoinsel
operator	=(sparsevec,sparsevec)	boolean sparsevec_eq commutator = negator <> eqsel eqjoinsel
operator	=(vector,vector)	boolean vector_eq commutator = negator <> eqsel eqjoinsel
operator	>(halfvec,halfvec)	boolean halfvec_gt commutator < negator <= scalargtsel scalargtjoinsel
operator	>(sparsevec,sparsevec)	boolean sparsevec_gt commutator < negator <= scalargtsel scalargtjoinsel
operator	>(vector,vector)	boolean vector_gt commutator < negator <= scalargtsel scalargtjoinsel
operator	>=(halfvec,halfvec)	boolean halfvec_ge commutator <= negator < scalargesel scalargejoinsel
operator	>=(sparsevec,sparsevec)	boolean sparsevec_ge commutator <= negator < scalargesel scalargejoinsel
operator	>=(vector,vector)	boolean vector_ge commutator <= negator < scalargesel scalargejoinsel
operator	||(halfvec,halfvec)	halfvec halfvec_concat
operator	||(vector,vector)	vector vector_concat
cast	double precision[] to halfvec	assignment array_to_halfvec(double precision[],integer,boolean)
cast	double precision[] to sparsevec	assignment array_to_sparsevec(double precision[],integer,boolean)
cast	double precision[] to vector	assignment array_to_vector(double precision[],integer,boolean)
cast	halfvec to halfvec	implicit halfvec(halfvec,integer,boolean)
cast	halfvec to real[]	assignment halfvec_to_float4(halfvec,integer,boolean)
cast	halfvec to sparsevec	implicit halfvec_to_sparsevec(halfvec,integer,boolean)
cast	halfvec to vector	assignment halfvec_to_vector(halfvec,integer,boolean)
cast	integer[] to halfvec	assignment array_to_halfvec(integer[],integer,boolean)
cast	integer[] to sparsevec	assignment array_to_sparsevec(integer[],integer,boolean)
cast	integer[] to vector	assignment array_to_vector(integer[],integer,boolean)
cast	numeric[] to halfvec	assignment array_to_halfvec(numeric[],integer,boolean)
cast	numeric[] to sparsevec	assignment array_to_sparsevec(numeric[],integer,boolean)
cast	numeric[] to vector	assignment array_to_vector(numeric[],integer,boolean)
cast	real[] to halfvec	assignment array_to_halfvec(real[],integer,boolean)
cast	real[] to sparsevec	assignment array_to_sparsevec(real[],integer,boolean)
cast	real[] to vector	assignment array_to_vector(real[],integer,boolean)
cast	sparsevec to halfvec	assignment sparsevec_to_halfvec(sparsevec,integer,boolean)
cast	sparsevec to sparsevec	implicit sparsevec(sparsevec,integer,boolean)
cast	sparsevec to vector	assignment sparsevec_to_vector(sparsevec,integer,boolean)
cast	vector to halfvec	implicit vector_to_halfvec(vector,integer,boolean)
cast	vector to real[]	implicit vector_to_float4(vector,integer,boolean)
cast	vector to sparsevec	implicit vector_to_sparsevec(vector,integer,boolean)
cast	vector to vector	implicit vector(vector,integer,boolean)
access method	hnsw	i hnswhandler
access method	ivfflat	i ivfflathandler
operator class	btree halfvec_ops	halfvec default of family halfvec_ops 1 <(halfvec,halfvec), 2 <=(halfvec,halfvec), 3 =(halfvec,halfvec), 4 >=(halfvec,halfvec), 5 >(halfvec,halfvec) compares by halfvec_cmp
operator class	btree sparsevec_ops	sparsevec default of family sparsevec_ops 1 <(sparsevec,sparsevec), 2 <=(sparsevec,sparsevec), 3 =(sparsevec,sparsevec), 4 >=(sparsevec,sparsevec), 5 >(sparsevec,sparsevec) compares by sparsevec_cmp
operator class	btree vector_ops	vector default of family vector_ops 1 <(vector,vector), 2 <=(vector,vector), 3 =(vector,vector), 4 >=(vector,vector), 5 >(vector,vector) compares by vector_cmp
operator class	hnsw bit_hamming_ops	bit of family bit_hamming_ops 1 <~>(bit,bit) orders by float_ops
operator class	hnsw bit_jaccard_ops	bit of family bit_jaccard_ops 1 <%>(bit,bit) orders by float_ops
operator class	hnsw halfvec_cosine_ops	halfvec of family halfvec_cosine_ops 1 <=>(halfvec,halfvec) orders by float_ops
operator class	hnsw halfvec_ip_ops	halfvec of family halfvec_ip_ops 1 <#>(halfvec,halfvec) orders by float_ops
operator class	hnsw halfvec_l1_ops	halfvec of family halfvec_l1_ops 1 <+>(halfvec,halfvec) orders by float_ops
operator class	hnsw halfvec_l2_ops	halfvec of family halfvec_l2_ops 1 <->(halfvec,halfvec) orders by float_ops
operator class	hnsw sparsevec_cosine_ops	sparsevec of family sparsevec_cosine_ops 1 <=>(sparsevec,sparsevec) orders by float_ops
operator class	hnsw sparsevec_ip_ops	sparsevec of family sparsevec_ip_ops 1 <#>(sparsevec,sparsevec) orders by float_ops
operator class	hnsw sparsevec_l1_ops	sparsevec of family sparsevec_l1_ops 1 <+>(sparsevec,sparsevec) orders by float_ops
operator class	hnsw sparsevec_l2_ops	sparsevec of family sparsevec_l2_ops 1 <->(sparsevec,sparsevec) orders by float_ops
operator class	hnsw vector_cosine_ops	vector of family vector_cosine_ops 1 <=>(vector,vector) orders by float_ops
operator class	hnsw vector_ip_ops	vector of family vector_ip_ops 1 <#>(vector,vector) orders by float_ops
operator class	hnsw vector_l1_ops	vector of family vector_l1_ops 1 <+>(vector,vector) orders by float_ops
operator class	hnsw vector_l2_ops	vector of family vector_l2_ops 1 <->(vector,vector) orders by float_ops
operator class	ivfflat bit_hamming_ops	bit of family bit_hamming_ops 1 <~>(bit,bit) orders by float_ops
operator class	ivfflat halfvec_cosine_ops	halfvec of family halfvec_cosine_ops 1 <=>(halfvec,halfvec) orders by float_ops
operator class	ivfflat halfvec_ip_ops	halfvec of family halfvec_ip_ops 1 <#>(halfvec,halfvec) orders by float_ops
operator class	ivfflat halfvec_l2_ops	halfvec of family halfvec_l2_ops 1 <->(halfvec,halfvec) orders by float_ops
operator class	ivfflat vector_cosine_ops	vector of family vector_cosine_ops 1 <=>(vector,vector) orders by float_ops
operator class	ivfflat vector_ip_ops	vector of family vector_ip_ops 1 <#>(vector,vector) orders by float_ops
operator class	ivfflat vector_l2_ops	vector default of family vector_l2_ops 1 <->(vector,vector) orders by float_ops
method property	hnsw can_exclude	true
method property	hnsw can_include	false
method property	hnsw can_multi_col	false
method property	hnsw can_order	false
method property	hnsw can_unique	false
method property	ivfflat can_exclude	true
method property	ivfflat can_include	false
method property	ivfflat can_multi_col	false
method property	ivfflat can_order	false
method property	ivfflat can_unique	false
setting	hnsw.ef_search	integer 40 1..1000 user
setting	hnsw.iterative_scan	enum off off|relaxed_order|strict_order user
setting	hnsw.max_scan_tuples	integer 20000 1..2147483647 user
setting	hnsw.scan_mem_multiplier	real 1 1..1000 user
setting	ivfflat.iterative_scan	enum off off|relaxed_order user
setting	ivfflat.max_probes	integer 32768 1..32768 user
setting	ivfflat.probes	integer 1 1..32768 user
\.
SELECT kind, count(*) FROM contract GROUP BY kind ORDER BY kind COLLATE "C";

-- missing or different: no rows
SELECT kind, object, c.facts AS wanted, a.facts AS found
FROM contract c LEFT JOIN actual a USING (kind, object) WHERE a.facts IS DISTINCT FROM c.facts
ORDER BY kind COLLATE "C", object COLLATE "C";

-- what vecdb has beyond, outside its own schema; of type int8vec only that there is one (int8vec_catalog has the rest)
SELECT kind, object, a.facts
FROM actual a LEFT JOIN contract c USING (kind, object) WHERE c.kind IS NULL AND object NOT LIKE 'vecdb.%' AND (kind = 'type' OR object || a.facts NOT LIKE '%int8vec%')
ORDER BY kind COLLATE "C", object COLLATE "C";

-- no function of it is in a schema that pgvector has not, but vecdb's own
SELECT DISTINCT nspname FROM pg_proc p JOIN member ON objid = p.oid AND classid = 'pg_proc'::regclass JOIN pg_namespace n ON n.oid = pronamespace ORDER BY 1;

DROP TABLE contract;
DROP VIEW actual, member;
