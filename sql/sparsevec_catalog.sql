-- The catalogue of type sparsevec against the contract with pgvector's clients. Each query lists what differs: no rows.
\pset null '-'

SELECT typlen, typbyval, typtype, typcategory, typispreferred, typdelim, typalign, typstorage, typinput, typoutput, typreceive, typsend, typmodin, typmodout, typanalyze, typsubscript
FROM pg_type WHERE oid = 'sparsevec'::regtype;

-- functions: name and arguments, result, value function or not
CREATE TEMP TABLE expected_function (signature text, result text);
INSERT INTO expected_function VALUES
    ('sparsevec_in(cstring,oid,integer)', 'sparsevec'), ('sparsevec_out(sparsevec)', 'cstring'), ('sparsevec_typmod_in(cstring[])', 'integer'),
    ('sparsevec_recv(internal,oid,integer)', 'sparsevec'), ('sparsevec_send(sparsevec)', 'bytea'),
    ('l2_distance(sparsevec,sparsevec)', 'double precision'), ('inner_product(sparsevec,sparsevec)', 'double precision'),
    ('cosine_distance(sparsevec,sparsevec)', 'double precision'), ('l1_distance(sparsevec,sparsevec)', 'double precision'),
    ('l2_norm(sparsevec)', 'double precision'), ('l2_normalize(sparsevec)', 'sparsevec'),
    ('sparsevec_lt(sparsevec,sparsevec)', 'boolean'), ('sparsevec_le(sparsevec,sparsevec)', 'boolean'), ('sparsevec_eq(sparsevec,sparsevec)', 'boolean'),
    ('sparsevec_ne(sparsevec,sparsevec)', 'boolean'), ('sparsevec_ge(sparsevec,sparsevec)', 'boolean'), ('sparsevec_gt(sparsevec,sparsevec)', 'boolean'),
    ('sparsevec_cmp(sparsevec,sparsevec)', 'integer'),
    ('sparsevec_l2_squared_distance(sparsevec,sparsevec)', 'double precision'), ('sparsevec_negative_inner_product(sparsevec,sparsevec)', 'double precision'),
    ('sparsevec(sparsevec,integer,boolean)', 'sparsevec'), ('vector_to_sparsevec(vector,integer,boolean)', 'sparsevec'), ('sparsevec_to_vector(sparsevec,integer,boolean)', 'vector'),
    ('halfvec_to_sparsevec(halfvec,integer,boolean)', 'sparsevec'), ('sparsevec_to_halfvec(sparsevec,integer,boolean)', 'halfvec'),
    ('array_to_sparsevec(integer[],integer,boolean)', 'sparsevec'), ('array_to_sparsevec(real[],integer,boolean)', 'sparsevec'),
    ('array_to_sparsevec(double precision[],integer,boolean)', 'sparsevec'), ('array_to_sparsevec(numeric[],integer,boolean)', 'sparsevec');

SELECT e.signature, e.result, p.prorettype::regtype, p.provolatile, p.proisstrict, p.proparallel, p.proretset, p.prosecdef, p.proleakproof, l.lanname
FROM expected_function e
LEFT JOIN pg_proc p ON p.oid = to_regprocedure(e.signature)
LEFT JOIN pg_language l ON l.oid = p.prolang
WHERE (p.prorettype::regtype::text, p.provolatile, p.proisstrict, p.proparallel, p.proretset, p.prosecdef, p.proleakproof, l.lanname)
      IS DISTINCT FROM (e.result, 'i'::"char", true, 's'::"char", false, false, false, 'c'::name)
ORDER BY 1;

-- operators
CREATE TEMP TABLE expected_operator (name text, result text, code text, commutator text, negator text, restrict_estimator text, join_estimator text);
INSERT INTO expected_operator VALUES
    ('<->', 'double precision', 'l2_distance', '<->', NULL, NULL, NULL),
    ('<#>', 'double precision', 'sparsevec_negative_inner_product', '<#>', NULL, NULL, NULL),
    ('<=>', 'double precision', 'cosine_distance', '<=>', NULL, NULL, NULL),
    ('<+>', 'double precision', 'l1_distance', '<+>', NULL, NULL, NULL),
    ('<', 'boolean', 'sparsevec_lt', '>', '>=', 'scalarltsel', 'scalarltjoinsel'),
    ('<=', 'boolean', 'sparsevec_le', '>=', '>', 'scalarlesel', 'scalarlejoinsel'),
    ('=', 'boolean', 'sparsevec_eq', '=', '<>', 'eqsel', 'eqjoinsel'),
    ('<>', 'boolean', 'sparsevec_ne', '<>', '=', 'eqsel', 'eqjoinsel'),
    ('>=', 'boolean', 'sparsevec_ge', '<=', '<', 'scalargesel', 'scalargejoinsel'),
    ('>', 'boolean', 'sparsevec_gt', '<', '<=', 'scalargtsel', 'scalargtjoinsel');
CREATE TEMP VIEW actual_operator AS
    SELECT o.oprname::text AS name, format_type(o.oprresult, NULL) AS result, p.proname::text AS code, c.oprname::text AS commutator, n.oprname::text AS negator,
           r.proname::text AS restrict_estimator, j.proname::text AS join_estimator
    FROM pg_operator o JOIN pg_proc p ON p.oid = o.oprcode
    LEFT JOIN pg_operator c ON c.oid = o.oprcom AND c.oprleft = o.oprright AND c.oprright = o.oprleft
    LEFT JOIN pg_operator n ON n.oid = o.oprnegate AND n.oprleft = o.oprleft AND n.oprright = o.oprright
    LEFT JOIN pg_proc r ON r.oid = o.oprrest LEFT JOIN pg_proc j ON j.oid = o.oprjoin
    WHERE o.oprleft = 'sparsevec'::regtype AND o.oprright = 'sparsevec'::regtype AND NOT o.oprcanmerge AND NOT o.oprcanhash;
(SELECT 'missing' AS what, * FROM (TABLE expected_operator EXCEPT TABLE actual_operator) m)
UNION ALL (SELECT 'surplus', * FROM (TABLE actual_operator EXCEPT TABLE expected_operator) s) ORDER BY 1, 2;

-- casts between sparsevec and core types, or itself
CREATE TEMP TABLE expected_cast (source text, target text, function text, context "char", method "char");
INSERT INTO expected_cast VALUES
    ('sparsevec', 'sparsevec', 'sparsevec', 'i', 'f'),
    ('integer[]', 'sparsevec', 'array_to_sparsevec', 'a', 'f'), ('real[]', 'sparsevec', 'array_to_sparsevec', 'a', 'f'),
    ('double precision[]', 'sparsevec', 'array_to_sparsevec', 'a', 'f'), ('numeric[]', 'sparsevec', 'array_to_sparsevec', 'a', 'f'),
    ('vector', 'sparsevec', 'vector_to_sparsevec', 'i', 'f'), ('sparsevec', 'vector', 'sparsevec_to_vector', 'a', 'f'),
    ('halfvec', 'sparsevec', 'halfvec_to_sparsevec', 'i', 'f'), ('sparsevec', 'halfvec', 'sparsevec_to_halfvec', 'a', 'f');
CREATE TEMP VIEW actual_cast AS
    SELECT format_type(castsource, NULL) AS source, format_type(casttarget, NULL) AS target, proname::text AS function, castcontext AS context, castmethod AS method
    FROM pg_cast JOIN pg_proc p ON p.oid = castfunc
    WHERE 'sparsevec'::regtype IN (castsource, casttarget);
(SELECT 'missing' AS what, * FROM (TABLE expected_cast EXCEPT TABLE actual_cast) m)
UNION ALL (SELECT 'surplus', * FROM (TABLE actual_cast EXCEPT TABLE expected_cast) s) ORDER BY 1, 2, 3;

-- aggregates
SELECT a.aggfnoid::regprocedure, format_type(p.prorettype, NULL) AS result, p.proparallel AS parallel, aggkind AS kind, aggtransfn AS transition, aggfinalfn AS final, aggcombinefn AS combine,
       aggserialfn AS serialize, aggdeserialfn AS deserialize, format_type(aggtranstype, NULL) AS state, agginitval AS initial
FROM pg_aggregate a JOIN pg_proc p ON p.oid = a.aggfnoid WHERE p.proargtypes[0] = 'sparsevec'::regtype AND p.pronamespace <> 'vecdb'::regnamespace ORDER BY 1;

-- btree operator class
SELECT opcname, opcdefault, amvalidate(c.oid) AS valid FROM pg_opclass c JOIN pg_am am ON am.oid = opcmethod WHERE opcintype = 'sparsevec'::regtype AND amname = 'btree';
SELECT amopstrategy, amopopr::regoperator, amoppurpose FROM pg_amop JOIN pg_am am ON am.oid = amopmethod WHERE amoplefttype = 'sparsevec'::regtype AND amname = 'btree' ORDER BY 1;
SELECT amprocnum, amproc FROM pg_amproc p JOIN pg_opfamily f ON f.oid = amprocfamily JOIN pg_am am ON am.oid = f.opfmethod WHERE amproclefttype = 'sparsevec'::regtype AND amname = 'btree' ORDER BY 1;

-- the functions of the aggregates: what SQL cannot call
SELECT p.oid::regprocedure, format_type(prorettype, NULL), provolatile, proisstrict, proparallel FROM pg_proc p
WHERE proname LIKE 'sparsevec%' AND 'internal'::regtype = ANY (proargtypes::oid[]) AND proname <> 'sparsevec_recv' ORDER BY 1;

-- everything has a comment
SELECT pg_describe_object(classid, objid, 0) FROM pg_depend d
WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e' AND pg_describe_object(classid, objid, 0) ~ 'sparsevec' AND obj_description(objid, classid::regclass::name) IS NULL
      AND pg_describe_object(classid, objid, 0) !~ 'operator family|sparsevec\[\]$';

\pset null ''
DROP VIEW actual_operator, actual_cast;
DROP TABLE expected_function, expected_operator, expected_cast;
