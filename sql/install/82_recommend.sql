-- Search by examples: recommend, discover, context; diverse answers and groups. docs/recommend.md, docs/discover.md, docs/mmr-and-groups.md.

CREATE FUNCTION vecdb.recommend(rel regclass, vec name, positive anycompatiblearray, negative anycompatiblearray,
		strategy text DEFAULT 'average_vector', k integer DEFAULT 10, skip integer DEFAULT 0, filter jsonb DEFAULT NULL,
		score_threshold double precision DEFAULT NULL, params jsonb DEFAULT NULL, lookup_rel regclass DEFAULT NULL,
		lookup_vec name DEFAULT NULL)
	RETURNS TABLE(id anycompatible, distance double precision, score double precision, rank bigint)
	AS 'MODULE_PATHNAME', 'vecdb_recommend' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000 ROWS 10;
COMMENT ON FUNCTION vecdb.recommend(regclass, name, anycompatiblearray, anycompatiblearray, text, integer, integer, jsonb,
		double precision, jsonb, regclass, name) IS
	'rows near the rows with the positive ids and far from those with the negative ids, best first, without these; strategy average_vector, best_score or sum_scores; lookup_rel: the relation of the ids';

CREATE FUNCTION vecdb.recommend_vectors(rel regclass, vec name, key anycompatible, positive vector[], negative vector[] DEFAULT '{}',
		strategy text DEFAULT 'average_vector', k integer DEFAULT 10, skip integer DEFAULT 0, filter jsonb DEFAULT NULL,
		score_threshold double precision DEFAULT NULL, params jsonb DEFAULT NULL)
	RETURNS TABLE(id anycompatible, distance double precision, score double precision, rank bigint)
	AS 'MODULE_PATHNAME', 'vecdb_recommend_vectors' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000 ROWS 10;
COMMENT ON FUNCTION vecdb.recommend_vectors(regclass, name, anycompatible, vector[], vector[], text, integer, integer, jsonb,
		double precision, jsonb) IS
	'rows near the positive vectors and far from the negative ones, best first; key: a value of the type that rows are named by';

CREATE FUNCTION vecdb.discover(rel regclass, vec name, target anycompatible, context anycompatiblearray,
		k integer DEFAULT 10, skip integer DEFAULT 0, filter jsonb DEFAULT NULL, score_threshold double precision DEFAULT NULL,
		params jsonb DEFAULT NULL, lookup_rel regclass DEFAULT NULL, lookup_vec name DEFAULT NULL)
	RETURNS TABLE(id anycompatible, distance double precision, score double precision, rank bigint)
	AS 'MODULE_PATHNAME', 'vecdb_discover' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000 ROWS 10;
COMMENT ON FUNCTION vecdb.discover(regclass, name, anycompatible, anycompatiblearray, integer, integer, jsonb, double precision,
		jsonb, regclass, name) IS
	'rows on the better side of most pairs of context, [[better, worse], ...], and of these those nearest to the target, best first, without the rows named';

CREATE FUNCTION vecdb.discover_vectors(rel regclass, vec name, key anycompatible, target vector, positive vector[],
		negative vector[], k integer DEFAULT 10, skip integer DEFAULT 0, filter jsonb DEFAULT NULL,
		score_threshold double precision DEFAULT NULL, params jsonb DEFAULT NULL)
	RETURNS TABLE(id anycompatible, distance double precision, score double precision, rank bigint)
	AS 'MODULE_PATHNAME', 'vecdb_discover_vectors' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000 ROWS 10;
COMMENT ON FUNCTION vecdb.discover_vectors(regclass, name, anycompatible, vector, vector[], vector[], integer, integer, jsonb,
		double precision, jsonb) IS
	'rows on the better side of most pairs (positive[i], negative[i]), and of these those nearest to the target, best first';

CREATE FUNCTION vecdb.context_search(rel regclass, vec name, context anycompatiblearray, k integer DEFAULT 10,
		skip integer DEFAULT 0, filter jsonb DEFAULT NULL, score_threshold double precision DEFAULT NULL,
		params jsonb DEFAULT NULL, lookup_rel regclass DEFAULT NULL, lookup_vec name DEFAULT NULL)
	RETURNS TABLE(id anycompatible, distance double precision, score double precision, rank bigint)
	AS 'MODULE_PATHNAME', 'vecdb_context_search' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000 ROWS 10;
COMMENT ON FUNCTION vecdb.context_search(regclass, name, anycompatiblearray, integer, integer, jsonb, double precision, jsonb,
		regclass, name) IS
	'rows on the better side of all pairs of context, [[better, worse], ...], or near it, without the rows named';

CREATE FUNCTION vecdb.mmr_search(rel regclass, vec name, key anycompatible, query vector, k integer DEFAULT 10,
		diversity double precision DEFAULT 0.5, candidates integer DEFAULT NULL, filter jsonb DEFAULT NULL,
		params jsonb DEFAULT NULL)
	RETURNS TABLE(id anycompatible, distance double precision, score double precision, rank bigint)
	AS 'MODULE_PATHNAME', 'vecdb_mmr_search' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000 ROWS 10;
COMMENT ON FUNCTION vecdb.mmr_search(regclass, name, anycompatible, vector, integer, double precision, integer, jsonb, jsonb) IS
	'rows near the query and unlike one another, chosen from so many candidates by maximal marginal relevance, in the order of choice; diversity from 0 (nearest) to 1';

CREATE FUNCTION vecdb.search_groups(rel regclass, vec name, key anycompatible, query vector, group_by text,
		groups integer DEFAULT 10, group_size integer DEFAULT 3, filter jsonb DEFAULT NULL, params jsonb DEFAULT NULL)
	RETURNS TABLE(group_key jsonb, group_rank bigint, id anycompatible, distance double precision, score double precision,
		rank bigint)
	AS 'MODULE_PATHNAME', 'vecdb_search_groups' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000 ROWS 30;
COMMENT ON FUNCTION vecdb.search_groups(regclass, name, anycompatible, vector, text, integer, integer, jsonb, jsonb) IS
	'the groups (by a column or a field of the payload) with the nearest rows, and the nearest rows of each; rank: place in the group';
