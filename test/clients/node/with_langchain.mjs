// SPDX-License-Identifier: PostgreSQL
// LangChain's PGVectorStore: it creates the extension, in a schema where it is told one, its tables and an hnsw index on an
// expression; documents with metadata filters, collections, marginal relevance, the three distances.
import pg from 'pg';
import { PGVectorStore } from '@langchain/community/vectorstores/pgvector';
import * as s from './support.mjs';

// A text is "row N", and its embedding row N.
const embeddings = {
	embedQuery: async (text) => s.dense(Number(text.split(' ')[1])),
	embedDocuments: async (texts) => Promise.all(texts.map((text) => embeddings.embedQuery(text))),
};
const documents = s.rows.map((id) => ({ pageContent: `row ${id}`, metadata: { id, color: id % 3 ? 'blue' : 'red' } }));
const uuid = (id) => `00000000-0000-4000-8000-${String(id).padStart(12, '0')}`;
const METRIC = { cosine: 'cosine', innerProduct: 'ip', euclidean: 'l2' };
const asRows = (found) => found.map(([document, distance]) => ({ id: document.metadata.id, distance }));

await s.run(async () => {
	s.version('@langchain/community');
	const pool = new pg.Pool({ options: s.STARTUP });
	for (const [distanceStrategy, metric] of Object.entries(METRIC)) {
		const store = await PGVectorStore.initialize(embeddings, {
			pool, tableName: `items_${metric}`, distanceStrategy, dimensions: s.DIMS,
		});
		await store.addDocuments(documents, { ids: s.rows.map(uuid) });
		const ask = (filter, k = s.NEAREST) => store.similaritySearchVectorWithScore(s.dense(s.QUERY), k, filter);
		s.nearest(asRows(await ask()), 'v', metric, `${distanceStrategy} without an index`);
		await store.createHnswIndex({ dimensions: s.DIMS, namespace: metric, m: 16, efConstruction: 64 });
		const made = await pool.query('SELECT indexdef FROM pg_indexes WHERE indexname = $1', [`${metric}_embedding_embedding_hnsw_idx`]);
		s.check(made.rows[0]?.indexdef.includes(`vector_${metric}_ops`), `${distanceStrategy}: index created`, JSON.stringify(made.rows));
		s.usesIndex(
			(await pool.query(`EXPLAIN SELECT *, "embedding" ${s.OPERATOR[metric]} '${s.textOf('v', s.QUERY)}' AS "_distance"
				FROM items_${metric} ORDER BY "_distance" LIMIT 10`)).rows,
			`${metric}_embedding_embedding_hnsw_idx on items_${metric}`,
			`${distanceStrategy}: index is used`,
		);
		s.nearest(asRows(await ask()), 'v', metric, `${distanceStrategy} with an index`);
		const red = s.rows.filter((id) => id % 3 === 0);
		s.nearest(asRows(await ask({ color: 'red' })), 'v', metric, `${distanceStrategy} with a filter`, { among: red });
		s.nearest(asRows(await ask({ id: { gte: 290 } })), 'v', metric, `${distanceStrategy} with a range`, { among: s.rows.slice(290) });
		const found = await store.similaritySearch(`row ${s.QUERY}`, 1);
		s.same(found[0].pageContent, `row ${s.exact('v', metric)[0].id}`, `${distanceStrategy}: text of the nearest`);
		const best = s.exact('v', metric)[0].id;
		await store.delete({ ids: [uuid(best)] });
		s.nearest(asRows(await ask()), 'v', metric, `${distanceStrategy} after a deletion`, { among: s.rows.filter((id) => id !== best) });
		const diverse = await store.maxMarginalRelevanceSearch(`row ${s.QUERY}`, { k: 5, fetchK: 20, lambda: 1 });
		if (metric === 'cosine') {
			// With lambda 1 only nearness counts.
			const expected = s.exact('v', 'cosine', s.rows.filter((id) => id !== best)).slice(0, 5).map((row) => row.id);
			s.same(diverse.map((document) => document.metadata.id), expected, 'marginal relevance reads embeddings back');
		} else {
			s.same(new Set(diverse.map((document) => document.metadata.id)).size, 5, `${distanceStrategy}: marginal relevance`);
		}
		store.client?.release();
	}

	const options = { pool, tableName: 'shared', collectionTableName: 'collections', dimensions: s.DIMS };
	const [first, second] = await Promise.all(['one', 'two'].map(async (collectionName, i) => {
		// One after the other: both create the tables.
		await new Promise((resolve) => setTimeout(resolve, i * 500));
		return PGVectorStore.initialize(embeddings, { ...options, collectionName });
	}));
	await first.addDocuments(documents.slice(0, 150));
	await second.addDocuments(documents.slice(150));
	const asked = s.dense(s.QUERY);
	s.nearest(asRows(await first.similaritySearchVectorWithScore(asked, 10)), 'v', 'cosine', 'a collection', { among: s.rows.slice(0, 150) });
	s.nearest(asRows(await second.similaritySearchVectorWithScore(asked, 10)), 'v', 'cosine', 'another', { among: s.rows.slice(150) });
	[first, second].forEach((store) => store.client?.release());
	await pool.end();

	// The extension in a schema that is not searched: type and operator are named with it.
	const admin = new pg.Client();
	await admin.connect();
	await admin.query('DROP EXTENSION vector CASCADE');
	await admin.query('CREATE SCHEMA apart');
	await admin.query('DROP TABLE items_l2');
	const other = new pg.Pool();
	const store = await PGVectorStore.initialize(embeddings, {
		pool: other, tableName: 'items_l2', distanceStrategy: 'euclidean', dimensions: s.DIMS, extensionSchemaName: 'apart',
	});
	await store.addDocuments(documents);
	s.nearest(asRows(await store.similaritySearchVectorWithScore(asked, 10)), 'v', 'l2', 'the extension in a schema of its own');
	const where = "SELECT nspname FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace WHERE typname = 'vector'";
	s.same((await admin.query(where)).rows, [{ nspname: 'apart' }], 'the type is in that schema');
	store.client?.release();
	await other.end();
	await admin.end();
});
