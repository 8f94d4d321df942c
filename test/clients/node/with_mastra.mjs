// SPDX-License-Identifier: PostgreSQL
// Mastra's PgVector: it creates the extension and asks for its version and schema, creates tables of each type with indexes
// ivfflat (its default) and hnsw, reads their options and metrics back from the catalogue, and queries with metadata filters.
import pg from 'pg';
import { PgVector } from '@mastra/pg';
import * as s from './support.mjs';

// Distance of a score, as the store computes scores.
const OF_SCORE = {
	cosine: (score) => 1 - score, euclidean: (score) => 1 / score - 1, dotproduct: (score) => -score,
	hamming: (score) => (1 - score) * s.BITS, jaccard: (score) => 1 - score,
};
const METRIC = { cosine: 'cosine', euclidean: 'l2', dotproduct: 'ip', hamming: 'hamming', jaccard: 'jaccard' };
const COLUMN = { vector: 'v', halfvec: 'h', sparsevec: 's', bit: 'b' };

// All types are arrays of numbers to it.
const asArray = (column, id) => {
	const x = s.value(column, id);
	if (column === 'b') return [...x].map(Number);
	return column === 's' ? Array.from({ length: s.SPARSE_DIMS }, (_, i) => x[i] ?? 0) : x;
};
const all = [
	...['vector', 'halfvec'].flatMap((vectorType) => ['cosine', 'euclidean', 'dotproduct'].flatMap((metric) =>
		['ivfflat', 'hnsw'].map((type) => ({ vectorType, metric, type })))),
	...['cosine', 'euclidean', 'dotproduct'].map((metric) => ({ vectorType: 'sparsevec', metric, type: 'hnsw' })),
	{ vectorType: 'bit', metric: 'hamming', type: 'ivfflat' },
	{ vectorType: 'bit', metric: 'hamming', type: 'hnsw' },
	{ vectorType: 'bit', metric: 'jaccard', type: 'hnsw' },
];

await s.run(async () => {
	s.version('@mastra/pg');
	const store = new PgVector({ id: 'clients', connectionString: process.env.DATABASE_URL });
	const plain = new pg.Client();
	await plain.connect();
	// What it makes of no more than a name and a number of dimensions.
	await store.createIndex({ indexName: 'plain', dimension: s.DIMS });
	const description = await store.describeIndex({ indexName: 'plain' });
	s.same(
		[description.type, description.metric, description.dimension, description.config],
		['ivfflat', 'cosine', s.DIMS, { lists: 100 }],
		'the default index is described as it is',
	);
	for (const { vectorType, metric, type } of all) {
		const column = COLUMN[vectorType];
		const kind = `${type} ${s.opclass(column, METRIC[metric])}`;
		const indexName = `${type}_${vectorType}_${metric}`;
		const dimension = { v: s.DIMS, h: s.DIMS, s: s.SPARSE_DIMS, b: s.BITS }[column];
		const indexConfig = type === 'hnsw' ? { type, hnsw: { m: 20, efConstruction: 80 } } : { type, ivf: { lists: 10 } };
		await store.createIndex({ indexName, dimension, metric, vectorType, indexConfig });
		await store.upsert({
			indexName,
			vectors: s.rows.map((id) => asArray(column, id)),
			metadata: s.rows.map((id) => ({ id, color: id % 3 ? 'blue' : 'red' })),
			ids: s.rows.map(String),
		});
		const got = await store.describeIndex({ indexName });
		s.same(
			[got.type, got.vectorType, got.metric, got.dimension, got.count, got.config],
			[type, vectorType, metric, dimension, s.ROWS, type === 'hnsw' ? { m: 20, efConstruction: 80 } : { lists: 10 }],
			`${kind} is described as it is`,
		);
		const ask = async (more) => (await store.query({
			indexName, queryVector: asArray(column, s.QUERY), topK: s.NEAREST, minScore: -1e6, ef: 400, probes: 10, includeVector: true, ...more,
		})).map((row) => ({ ...row, distance: OF_SCORE[metric](row.score) }));
		const expectation = (rows, what, more) => s.nearest(rows, column, METRIC[metric], `${kind} ${what}`, more);
		// A minimum score of 0 leaves it to the index, where all nearest have one: not so for every product.
		const found = await ask(metric === 'dotproduct' ? {} : { minScore: 0 });
		expectation(found, 'answers');
		s.same(found.map((row) => row.vector), found.map((row) => asArray(column, Number(row.id))), `${kind}: vectors come back`);
		expectation(await ask({ filter: { color: 'red' } }), 'answers with a filter', { among: s.rows.filter((id) => id % 3 === 0) });
		const best = s.exact(column, METRIC[metric])[0].id;
		await store.deleteVector({ indexName, id: String(best) });
		expectation(await ask(), 'answers after a deletion', { among: s.rows.filter((id) => id !== best) });
	}
	// A changed configuration makes it build the index anew.
	const metric = 'euclidean';
	await store.buildIndex({ indexName: 'hnsw_vector_euclidean', metric, indexConfig: { type: 'ivfflat', ivf: { lists: 7 } } });
	const rebuilt = await store.describeIndex({ indexName: 'hnsw_vector_euclidean' });
	s.same([rebuilt.type, rebuilt.config], ['ivfflat', { lists: 7 }], 'an index is changed from hnsw to ivfflat');
	s.same((await store.listIndexes()).length, all.length + 1, 'its tables are listed');
	const extension = await plain.query("SELECT extname FROM pg_extension WHERE extname = 'vector'");
	s.same(extension.rows.length, 1, 'the extension is there by its name');
	await plain.end();
	await store.disconnect();
});
