-- The catalogue of type halfvec against the contract with pgvector's clients. Each query lists what differs: no rows.
\pset null '-'

SELECT typlen, typbyval, typtype, typcategory, typispreferred, typdelim, typalign, typstorage, typinput, typoutput, typreceive, typsend, typmodin, typmodout, typanalyze, typsubscript
FROM pg_type WHERE oid = 'halfvec'::regtype;

-- functions: name and arguments, result, value function or not
CREATE TEMP TABLE expected_function (signature text, result text);
INSERT INTO expected_function VALUES
    ('halfvec_in(cstring,oid,integer)', 'halfvec'), ('halfvec_out(halfvec)', 'cstring'), ('halfvec_typmod_in(cstring[])', 'integer'),
    ('halfvec_recv(internal,oid,integer)', 'halfvec'), ('halfvec_send(halfvec)', 'bytea'),
    ('l2_distance(halfvec,halfvec)', 'double precision'), ('inner_product(halfvec,halfvec)', 'double precision'),
    ('cosine_distance(halfvec,halfvec)', 'double precision'), ('l1_distance(halfvec,halfvec)', 'double precision'),
    ('vector_dims(halfvec)', 'integer'), ('l2_norm(halfvec)', 'double precision'), ('l2_normalize(halfvec)', 'halfvec'),
    ('binary_quantize(halfvec)', 'bit'), ('subvector(halfvec,integer,integer)', 'halfvec'),
    ('halfvec_add(halfvec,halfvec)', 'halfvec'), ('halfvec_sub(halfvec,halfvec)', 'halfvec'), ('halfvec_mul(halfvec,halfvec)', 'halfvec'),
    ('halfvec_concat(halfvec,halfvec)', 'halfvec'),
    ('halfvec_lt(halfvec,halfvec)', 'boolean'), ('halfvec_le(halfvec,halfvec)', 'boolean'), ('halfvec_eq(halfvec,halfvec)', 'boolean'),
    ('halfvec_ne(halfvec,halfvec)', 'boolean'), ('halfvec_ge(halfvec,halfvec)', 'boolean'), ('halfvec_gt(halfvec,halfvec)', 'boolean'),
    ('halfvec_cmp(halfvec,halfvec)', 'integer'),
    ('halfvec_l2_squared_distance(halfvec,halfvec)', 'double precision'), ('halfvec_negative_inner_product(halfvec,halfvec)', 'double precision'),
    ('halfvec_spherical_distance(halfvec,halfvec)', 'double precision'),
    ('halfvec_accum(double precision[],halfvec)', 'double precision[]'), ('halfvec_avg(double precision[])', 'halfvec'),
    ('halfvec_combine(double precision[],double precision[])', 'double precision[]'),
    ('halfvec(halfvec,integer,boolean)', 'halfvec'), ('vector_to_halfvec(vector,integer,boolean)', 'halfvec'), ('halfvec_to_vector(halfvec,integer,boolean)', 'vector'), ('array_to_halfvec(integer[],integer,boolean)', 'halfvec'),
    ('array_to_halfvec(real[],integer,boolean)', 'halfvec'), ('array_to_halfvec(double precision[],integer,boolean)', 'halfvec'),
    ('array_to_halfvec(numeric[],integer,boolean)', 'halfvec'), ('halfvec_to_float4(halfvec,integer,boolean)', 'real[]');

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
    ('<#>', 'double precision', 'halfvec_negative_inner_product', '<#>', NULL, NULL, NULL),
    ('<=>', 'double precision', 'cosine_distance', '<=>', NULL, NULL, NULL),
    ('<+>', 'double precision', 'l1_distance', '<+>', NULL, NULL, NULL),
    ('+', 'halfvec', 'halfvec_add', '+', NULL, NULL, NULL),
    ('-', 'halfvec', 'halfvec_sub', NULL, NULL, NULL, NULL),
    ('*', 'halfvec', 'halfvec_mul', '*', NULL, NULL, NULL),
    ('||', 'halfvec', 'halfvec_concat', NULL, NULL, NULL, NULL),
    ('<', 'boolean', 'halfvec_lt', '>', '>=', 'scalarltsel', 'scalarltjoinsel'),
    ('<=', 'boolean', 'halfvec_le', '>=', '>', 'scalarlesel', 'scalarlejoinsel'),
    ('=', 'boolean', 'halfvec_eq', '=', '<>', 'eqsel', 'eqjoinsel'),
    ('<>', 'boolean', 'halfvec_ne', '<>', '=', 'eqsel', 'eqjoinsel'),
    ('>=', 'boolean', 'halfvec_ge', '<=', '<', 'scalargesel', 'scalargejoinsel'),
    ('>', 'boolean', 'halfvec_gt', '<', '<=', 'scalargtsel', 'scalargtjoinsel');
CREATE TEMP VIEW actual_operator AS
    SELECT o.oprname::text AS name, format_type(o.oprresult, NULL) AS result, p.proname::text AS code, c.oprname::text AS commutator, n.oprname::text AS negator,
           r.proname::text AS restrict_estimator, j.proname::text AS join_estimator
    FROM pg_operator o JOIN pg_proc p ON p.oid = o.oprcode
    LEFT JOIN pg_operator c ON c.oid = o.oprcom AND c.oprleft = o.oprright AND c.oprright = o.oprleft
    LEFT JOIN pg_operator n ON n.oid = o.oprnegate AND n.oprleft = o.oprleft AND n.oprright = o.oprright
    LEFT JOIN pg_proc r ON r.oid = o.oprrest LEFT JOIN pg_proc j ON j.oid = o.oprjoin
    WHERE o.oprleft = 'halfvec'::regtype AND o.oprright = 'halfvec'::regtype AND NOT o.oprcanmerge AND NOT o.oprcanhash;
(SELECT 'missing' AS what, * FROM (TABLE expected_operator EXCEPT TABLE actual_operator) m)
UNION ALL (SELECT 'surplus', * FROM (TABLE actual_operator EXCEPT TABLE expected_operator) s) ORDER BY 1, 2;

-- casts between halfvec and core types, or itself
CREATE TEMP TABLE expected_cast (source text, target text, function text, context "char", method "char");
INSERT INTO expected_cast VALUES
    ('halfvec', 'halfvec', 'halfvec', 'i', 'f'), ('halfvec', 'real[]', 'halfvec_to_float4', 'a', 'f'),
    ('integer[]', 'halfvec', 'array_to_halfvec', 'a', 'f'), ('real[]', 'halfvec', 'array_to_halfvec', 'a', 'f'),
    ('double precision[]', 'halfvec', 'array_to_halfvec', 'a', 'f'), ('numeric[]', 'halfvec', 'array_to_halfvec', 'a', 'f'),
    ('vector', 'halfvec', 'vector_to_halfvec', 'i', 'f'), ('halfvec', 'vector', 'halfvec_to_vector', 'a', 'f'),
    ('halfvec', 'sparsevec', 'halfvec_to_sparsevec', 'i', 'f'), ('sparsevec', 'halfvec', 'sparsevec_to_halfvec', 'a', 'f'),
    ('int8vec', 'halfvec', 'int8vec_to_halfvec', 'a', 'f'), ('halfvec', 'int8vec', 'halfvec_to_int8vec', 'a', 'f');
CREATE TEMP VIEW actual_cast AS
    SELECT format_type(castsource, NULL) AS source, format_type(casttarget, NULL) AS target, proname::text AS function, castcontext AS context, castmethod AS method
    FROM pg_cast JOIN pg_proc p ON p.oid = castfunc
    WHERE 'halfvec'::regtype IN (castsource, casttarget);
(SELECT 'missing' AS what, * FROM (TABLE expected_cast EXCEPT TABLE actual_cast) m)
UNION ALL (SELECT 'surplus', * FROM (TABLE actual_cast EXCEPT TABLE expected_cast) s) ORDER BY 1, 2, 3;

-- aggregates
SELECT a.aggfnoid::regprocedure, format_type(p.prorettype, NULL) AS result, p.proparallel AS parallel, aggkind AS kind, aggtransfn AS transition, aggfinalfn AS final, aggcombinefn AS combine,
       format_type(aggtranstype, NULL) AS state, agginitval AS initial
FROM pg_aggregate a JOIN pg_proc p ON p.oid = a.aggfnoid WHERE p.proargtypes[0] = 'halfvec'::regtype ORDER BY 1;

-- btree operator class
SELECT opcname, opcdefault, amvalidate(c.oid) AS valid FROM pg_opclass c JOIN pg_am am ON am.oid = opcmethod WHERE opcintype = 'halfvec'::regtype AND amname = 'btree';
SELECT amopstrategy, amopopr::regoperator, amoppurpose FROM pg_amop JOIN pg_am am ON am.oid = amopmethod WHERE amoplefttype = 'halfvec'::regtype AND amname = 'btree' ORDER BY 1;
SELECT amprocnum, amproc FROM pg_amproc p JOIN pg_opfamily f ON f.oid = amprocfamily JOIN pg_am am ON am.oid = f.opfmethod WHERE amproclefttype = 'halfvec'::regtype AND amname = 'btree' ORDER BY 1;

\pset null ''
DROP VIEW actual_operator, actual_cast;
DROP TABLE expected_function, expected_operator, expected_cast;
