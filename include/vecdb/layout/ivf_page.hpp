/* SPDX-License-Identifier: PostgreSQL
 * On-disk layout of the access methods ivf and ivfflat: metapage, vector pages, list pages, slot pages.
 *
 * Regime: core (no PostgreSQL header). Everything read from a page is input: use the check functions before trusting a field.
 *
 * A page is  24 bytes page header | body (8152 bytes) | 16 bytes PageTrailer (hnsw_page.hpp), kind = IvfPageKind.
 *   block 0       IvfMeta
 *   kind vector   float32 elements in consecutive blocks, 2038 a page: the mean, or the codebooks of quantizer pq
 *   kind list     ListHeader | block numbers of its slot pages | blocks of 32 lanes
 *   kind slots    (PageTrailer.owner: block of its list page) fixed array of row slots; the slot of lane i of a list page (i counts through its blocks) is slot
 *                 i % slots_per_page of its slot page i / slots_per_page; a slot longer than a page's body lies in
 *                 `pages_per_slot` entries of that array, kSlotPartBytes in each
 *
 * A list is a chain of list pages. Its rows are near its centre c, and coded by their difference from it (in code space:
 * normalised for cosine, less the mean, rotated). The directory is such a chain too: its rows are the lists. There the code is one
 * bit, the slot is a float32 vector (the centre, code space), and a lane's TID field holds the list's head block
 * (offset 1). The directory's own centre is 0.
 *
 * A block:  BlockHeader | 32 TIDs of 6 bytes | codes:
 *   Codes::none   nothing: rows are only in their slots
 *   Codes::sign, pq4   `segments` x 16 bytes as fast_scan wants them (quantizer/sign_codes.hpp): the four bits of lane k at segment
 *                 s are a nibble of byte 16 s + k % 16, the low one for lanes 0..15
 *   Codes::pq8    `segments` x 32 bytes: byte 32 s + k is the code of lane k
 * Bit k of `live` says whether lane k holds a row. A lane that does not may hold anything.
 *
 * A slot:  SlotHeader | Slots::sq8: D bytes, then two more bits an element (element 4 i + j: bits 2 j of
 *          byte i; they cut a step in four); sq4: D/2 bytes (element 2i low nibble); half: D halves; all three of
 *          the residual v - c in code space | Slots::float32: the d floats of v itself (unit length for cosine), unrotated; in the
 *          directory: D floats in code space | Slots::bits: the bits of v, padded to 8 bytes.
 */
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "vecdb/base/status.hpp"
#include "vecdb/distance/metric.hpp"
#include "vecdb/layout/hnsw_page.hpp"

namespace vecdb::core::layout
{

constexpr std::uint32_t kIvfMagic = 0x76644931;  // "vdI1"
/* Version 1: first release. A reader accepts an index whose min_reader_version is at most kIvfVersion. */
constexpr std::uint16_t kIvfVersion = 1;
constexpr std::uint16_t kIvfMinReaderVersion = 1;
constexpr std::uint16_t kIvfPageId = 0xFD49;  // last two bytes of each page, for tools outside

/* Sparse vectors are coded by a dense sketch (quantizer/sparse_sketch.hpp) of at most so many elements. */
constexpr std::uint32_t kSketchDims = 512;
constexpr int kMinLists = 1;
constexpr int kMaxLists = 32768;
/* Rows that a list is made for where the number of lists is not given. */
constexpr std::uint32_t kRowsPerList = 256;
/* The codes of the directory and of long vectors cover this many dimensions (after rotation) at most. */
constexpr std::uint32_t kDirectorySignDims = 256;
constexpr std::uint32_t kMaxSignDims = 1792;
constexpr std::uint32_t kMaxPq4Segments = 448;
constexpr std::uint32_t kMaxPq8Segments = 224;
constexpr std::uint32_t kLanes = 32;
constexpr std::uint32_t kNoBlock = 0xFFFFFFFFu;

enum class IvfPageKind : std::uint16_t
{
	meta = 1,
	vector = 2,
	list = 3,
	slots = 4,
	free = 5,  // nobody's
};

/* Stored in metapages and reloptions: never renumber. */
enum class Quantizer : std::uint8_t
{
	automatic = 0,  // option alone
	rabitq = 1,
	rabitq4 = 2,
	sq8 = 3,
	pq = 4,
	half = 5,
	none = 6,
	bit = 7,  // columns of type bit
};

enum class Rerank : std::uint8_t
{
	automatic = 0,  // option alone
	none = 1,
	sq8 = 2,
	half = 3,
	heap = 4,
};

enum class Codes : std::uint8_t
{
	none = 0,
	sign = 1,
	pq4 = 2,
	pq8 = 3,
};

enum class Slots : std::uint8_t
{
	none = 0,
	sq4 = 1,
	sq8 = 2,
	half = 3,
	float32 = 4,
	bits = 5,
};

/* Share of a row's ten nearest that ProbeTable counts lists for. */
constexpr float kProbeRecalls[4] = {0.90f, 0.95f, 0.98f, 0.995f};

struct IvfMeta
{
	std::uint32_t magic;
	std::uint16_t version;             // that wrote it
	std::uint16_t min_reader_version;  // that can read it
	std::uint32_t dimensions;          // of the column
	std::uint8_t metric;               // distance::Metric
	std::uint8_t element_type;         // ElementType
	std::uint8_t quantizer;            // Quantizer
	std::uint8_t rerank;               // Rerank
	std::uint16_t pq_segments;         // quantizer pq; 0 else
	std::uint8_t pq_bits;              // 4 or 8; 0 else
	std::uint8_t reserved1;
	std::uint32_t lists_wanted;       // reloption lists, 0: from the number of rows
	std::uint64_t rotation_seed;      // 0: not rotated (L1, bit)
	std::uint64_t build_id;           // random; tells a cached copy from a new index in the same file
	std::uint32_t mean_block;         // first of the vector pages of the mean (dimensions floats), kNoBlock: zero
	std::uint32_t codebook_block;     // the same of the codebooks, kNoBlock: none
	std::uint32_t directory;          // head of the directory's chain
	std::uint32_t directory_version;  // grows with every change of the directory
	std::uint32_t list_count;         // lists in the directory
	std::uint32_t next_list_id;
	std::uint64_t rows_at_build;
	std::uint32_t build_milliseconds;
	std::uint32_t trained_lists;  // list_count when probes[] was measured; 0: never
	/* Lists to look into for kProbeRecalls[i] of a row's ten nearest: the mean over a sample, measured at build. */
	std::uint32_t probes[4];
	std::uint32_t splits;  // of lists since the build
	std::uint32_t
		code_deviation;  // float, its bits: C of lists/list_codec.hpp's deviation_of_e for these product codes; 0 else
	std::uint32_t sketch_dims;  // of sparse vectors: elements of their sketches; 0 else
	std::uint32_t reserved2[4];
	std::uint32_t crc;  // CRC-32C of all before it; stays here in later versions
};
static_assert(sizeof(IvfMeta) == 128 && offsetof(IvfMeta, rotation_seed) == 24 && offsetof(IvfMeta, crc) == 124 &&
			  std::has_unique_object_representations_v<IvfMeta>);

enum ListFlags : std::uint16_t
{
	kListHead = 1,
	kListDirectory = 2,
	/* e is taken from q - c instead of q: the table is made for this list (its centre lies far out, against its rows). */
	kListOwnTable = 4,
	/* Out of the directory: no row may be added. Its pages stay as they are until no scan can read them. */
	kListGone = 8,
};

struct ListHeader
{
	std::uint32_t list_id;
	std::uint32_t next;          // block of the next page of the chain, kNoBlock at its end
	std::uint32_t head;          // block of the first page
	std::uint32_t insert_block;  // head page: where to look for a free lane first, a hint
	std::uint16_t flags;         // ListFlags
	std::uint16_t blocks;        // of 32 lanes, in use on this page; blocks behind have no lanes yet
	float residual2;             // head page: mean |v - c|^2 of the rows when the list was made
	std::uint32_t rows;          // head page: rows when the list was made
	std::uint32_t reserved;
	std::uint64_t gone_xid;  // kListGone: full transaction id after which no scan can come (head page)
};
static_assert(sizeof(ListHeader) == 40 && std::has_unique_object_representations_v<ListHeader> == false);

struct BlockHeader
{
	std::uint32_t live;  // bit k: lane k holds a row
	float add_scale;     // lane's add = add_scale * f16(add[lane]); both scales are powers of two
	float mul_scale;
	std::uint32_t reserved;
	std::uint16_t add[kLanes];  // f16; not there where Codes::none
	std::uint16_t mul[kLanes];
};
static_assert(sizeof(BlockHeader) == 144);
/* Without codes a block begins with this much of it. */
constexpr std::uint32_t kBareBlockHeaderBytes = 16;

/* Six bytes, as PostgreSQL's ItemPointerData. */
struct RowTid
{
	std::uint16_t block_hi;
	std::uint16_t block_lo;
	std::uint16_t offset;

	bool operator==(const RowTid &) const noexcept = default;
};
static_assert(sizeof(RowTid) == 6 && alignof(RowTid) == 2);

inline RowTid
make_tid(std::uint32_t block, std::uint16_t offset) noexcept
{
	return RowTid{static_cast<std::uint16_t>(block >> 16), static_cast<std::uint16_t>(block & 0xffff), offset};
}

inline std::uint32_t
tid_block(const RowTid &tid) noexcept
{
	return static_cast<std::uint32_t>(tid.block_hi) << 16 | tid.block_lo;
}

struct SlotHeader
{
	/* Decoded element = bias + scale * code; half: a power of two, bias 0; float32: 1 and 0. */
	float scale;
	float bias;
	float norm2;  // squared Euclidean norm of the decoded residual (float32: of the vector); sq8: of its 8 bits
	float
		error;  // norm of v - c - decoded residual, rounded up: Euclidean, for L1 the sum of absolute errors; sq8: of 8 bits
	float centre_product;   // <c, decoded residual> (float32, bits: 0)
	std::uint32_t crc;      // CRC-32C of the slot with this field 0
	RowTid tid;             // of the row: tells a slot that has been used again
	std::uint16_t refined;  // sq8: error with the two further bits of each element, in 65535ths of `error`, rounded up
};
static_assert(sizeof(SlotHeader) == 32 && alignof(SlotHeader) == 4);

/* Bytes of a slot in each page where it is longer than one. */
constexpr std::uint32_t kSlotPartBytes = kPageBodyBytes;
/* Parts of the longest slot: a centre of bit strings. */
constexpr std::uint32_t kMaxSlotParts = (sizeof(SlotHeader) + 4 * kMaxBits + kSlotPartBytes - 1) / kSlotPartBytes;

/* What follows from the options: all offsets and sizes, of data lists or of the directory. */
struct IvfShape
{
	std::uint32_t dimensions;  // d of the column
	std::uint32_t code_dims;   // D: padded to 16
	Codes codes;
	Slots slots;
	std::uint32_t sign_dims;     // Codes::sign: dimensions coded, a multiple of 16; 0 else
	std::uint32_t segments;      // of the codes; 0 without
	std::uint32_t tids_offset;   // in a block
	std::uint32_t codes_offset;  // in a block, a multiple of 16
	std::uint32_t block_bytes;   // a multiple of 16
	std::uint32_t blocks_per_page;
	std::uint32_t lanes_per_page;  // 32 * blocks_per_page
	std::uint32_t first_block;     // byte offset in the page, a multiple of 16
	std::uint32_t slot_bytes;      // 0 without slots
	std::uint32_t slots_per_page;  // 1 where pages_per_slot > 1; 0 without slots
	std::uint32_t pages_per_slot;
	std::uint32_t slot_pages;  // entries of the array in a list page

	std::uint32_t
	block_offset(std::uint32_t block) const noexcept
	{
		return first_block + block * block_bytes;
	}
	/* Where in its slot page, the slot_page_of(lane)-th of the list page, the slot of a lane begins. */
	std::uint32_t
	slot_page_of(std::uint32_t lane) const noexcept
	{
		return lane / slots_per_page * pages_per_slot;
	}
	std::uint32_t
	slot_offset(std::uint32_t lane) const noexcept
	{
		return kPageHeaderBytes + lane % slots_per_page * slot_bytes;
	}
};

/* Room for the block numbers of slot pages is part of the page, so fewer rows fit where slots are long. */
inline bool
finish_shape(IvfShape &s, std::uint32_t code_bytes, std::uint32_t payload_bytes) noexcept
{
	s.tids_offset = s.codes == Codes::none ? kBareBlockHeaderBytes : sizeof(BlockHeader);
	s.codes_offset = s.tids_offset + kLanes * static_cast<std::uint32_t>(sizeof(RowTid));
	s.block_bytes = s.codes_offset + code_bytes;
	s.slot_bytes = s.slots_per_page = s.pages_per_slot = 0;
	if (s.slots != Slots::none)
	{
		s.slot_bytes = (static_cast<std::uint32_t>(sizeof(SlotHeader)) + payload_bytes + 3) / 4 * 4;
		s.slots_per_page = s.slot_bytes <= kPageBodyBytes ? kPageBodyBytes / s.slot_bytes : 1;
		s.pages_per_slot = (s.slot_bytes + kSlotPartBytes - 1) / kSlotPartBytes;
	}
	for (s.blocks_per_page = 64; s.blocks_per_page > 0; s.blocks_per_page--)
	{
		s.lanes_per_page = s.blocks_per_page * kLanes;
		s.slot_pages = s.slots == Slots::none
						   ? 0
						   : (s.lanes_per_page + s.slots_per_page - 1) / s.slots_per_page * s.pages_per_slot;
		std::uint32_t head = kPageHeaderBytes + static_cast<std::uint32_t>(sizeof(ListHeader)) + 4 * s.slot_pages;
		s.first_block = (head + 15) / 16 * 16;
		if (s.block_offset(s.blocks_per_page) <= kPageBytes - kPageTrailerBytes)
			return true;
	}
	return false;
}

struct IvfOptions
{
	Quantizer quantizer;
	Rerank rerank;
	std::uint32_t pq_segments;  // 0: chosen
	std::uint32_t pq_bits;      // 4 or 8
};

/* Elements of a row as lists code it. */
inline std::uint32_t
row_dimensions(const IvfMeta &meta) noexcept
{
	return meta.sketch_dims != 0 ? meta.sketch_dims : meta.dimensions;
}

/* Of the sketch of vectors with so many dimensions. */
inline std::uint32_t
sketch_dimensions(std::uint32_t dimensions) noexcept
{
	return dimensions < kSketchDims ? dimensions : kSketchDims;
}

/*
 * Resolves `automatic` and checks what goes together; null, or what is wrong (the message of an error, without a full stop).
 * flat: of access method ivfflat.
 */
inline const char *
resolve_options(IvfOptions &o, distance::Metric metric, std::uint32_t code_dims, bool flat,
				bool sparse = false) noexcept
{
	if (sparse)
	{
		if (o.quantizer != Quantizer::automatic && o.quantizer != Quantizer::rabitq)
			return "quantizer must be rabitq for sparse vectors";
		if (o.rerank != Rerank::automatic && o.rerank != Rerank::heap)
			return "rerank must be heap for sparse vectors";
		o.quantizer = Quantizer::rabitq;
		o.rerank = Rerank::heap;
	}
	if (distance::of_bits(metric))
	{
		if (o.quantizer != Quantizer::automatic && o.quantizer != Quantizer::none && o.quantizer != Quantizer::bit)
			return "quantizer must be none for bit strings";
		if (o.rerank != Rerank::automatic && o.rerank != Rerank::none)
			return "rerank must be none for bit strings";
		o.quantizer = Quantizer::bit;
		o.rerank = Rerank::none;
	}
	if (o.quantizer == Quantizer::automatic)
		o.quantizer = flat ? Quantizer::none : metric == distance::Metric::l1 ? Quantizer::sq8 : Quantizer::rabitq;
	bool coded = o.quantizer == Quantizer::rabitq || o.quantizer == Quantizer::pq;
	if (metric == distance::Metric::l1 && (coded || o.quantizer == Quantizer::rabitq4))
		return "quantizer must be sq8, half or none for L1 distance";
	if (o.rerank == Rerank::automatic)
		/* Four bits alone give no exact order. */
		o.rerank = coded ? Rerank::sq8 : o.quantizer == Quantizer::rabitq4 ? Rerank::heap : Rerank::none;
	if (!coded && o.rerank != Rerank::none && o.rerank != Rerank::heap)
		return "rerank must be none or heap for this quantizer";
	if (o.quantizer != Quantizer::pq)
	{
		o.pq_segments = o.pq_bits = 0;
		return nullptr;
	}
	if (o.pq_bits != 8)
		o.pq_bits = 4;
	std::uint32_t most = o.pq_bits == 8 ? kMaxPq8Segments : kMaxPq4Segments;
	if (o.pq_segments == 0)
	{
		o.pq_segments = o.pq_bits == 8 ? code_dims / 8 : code_dims / 4;
		if (o.pq_segments > most)
			o.pq_segments = most;
	}
	/* fast_scan takes segments by four. */
	if (o.pq_bits == 4)
		o.pq_segments = (o.pq_segments + 3) / 4 * 4;
	if (o.pq_segments > most || o.pq_segments > code_dims)
		return "pq_segments is too large";
	return nullptr;
}

/* options: resolved. False: no such shape. */
inline bool
ivf_shape(std::uint32_t dimensions, const IvfOptions &options, IvfShape &s) noexcept
{
	s = IvfShape{};
	s.dimensions = dimensions;
	s.code_dims = (dimensions + 15) / 16 * 16;
	std::uint32_t code_bytes = 0, payload = 0;
	switch (options.quantizer)
	{
		case Quantizer::rabitq:
		case Quantizer::rabitq4:
			s.codes = Codes::sign;
			s.sign_dims = s.code_dims < kMaxSignDims ? s.code_dims : kMaxSignDims;
			s.segments = s.sign_dims / 4;
			code_bytes = s.segments * 16;
			break;
		case Quantizer::pq:
			s.codes = options.pq_bits == 8 ? Codes::pq8 : Codes::pq4;
			s.segments = options.pq_segments;
			code_bytes = s.segments * (options.pq_bits == 8 ? 32 : 16);
			break;
		case Quantizer::sq8: s.slots = Slots::sq8; break;
		case Quantizer::half: s.slots = Slots::half; break;
		case Quantizer::none: s.slots = Slots::float32; break;
		case Quantizer::bit: s.slots = Slots::bits; break;
		default: return false;
	}
	if (options.quantizer == Quantizer::rabitq4)
		s.slots = Slots::sq4;
	else if (s.codes != Codes::none && options.rerank == Rerank::sq8)
		s.slots = Slots::sq8;
	else if (s.codes != Codes::none && options.rerank == Rerank::half)
		s.slots = Slots::half;
	switch (s.slots)
	{
		case Slots::none: break;
		case Slots::sq4: payload = s.code_dims / 2; break;
		case Slots::sq8: payload = s.code_dims + s.code_dims / 4; break;
		case Slots::half: payload = 2 * s.code_dims; break;
		case Slots::float32: payload = 4 * dimensions; break;
		case Slots::bits: payload = (dimensions + 63) / 64 * 8; break;
	}
	return finish_shape(s, code_bytes, payload);
}

/* Of the directory of any index whose code space has that many dimensions. */
inline IvfShape
directory_shape(std::uint32_t code_dims) noexcept
{
	IvfShape s{};
	s.dimensions = s.code_dims = code_dims;
	s.codes = Codes::sign;
	s.slots = Slots::float32;
	s.sign_dims = code_dims < kDirectorySignDims ? code_dims : kDirectorySignDims;
	s.segments = s.sign_dims / 4;
	finish_shape(s, s.segments * 16, 4 * code_dims);
	return s;
}

inline IvfOptions
ivf_options(const IvfMeta &meta) noexcept
{
	return IvfOptions{static_cast<Quantizer>(meta.quantizer), static_cast<Rerank>(meta.rerank), meta.pq_segments,
					  meta.pq_bits};
}

/* Lists for that many rows where the option is 0: never more than pay, so that the directory stays small. */
inline std::uint32_t
choose_lists(std::uint64_t rows) noexcept
{
	double n = static_cast<double>(rows);
	double wanted = n / kRowsPerList;
	if (wanted > 16384)
		wanted = 16384 * std::sqrt(wanted / 16384);
	return wanted < 1 ? 1 : static_cast<std::uint32_t>(wanted + 0.5);
}

inline bool
has_ivf_magic(const IvfMeta &meta) noexcept
{
	return meta.magic == kIvfMagic;
}

/* blocks: length of the index. The checksum is the caller's to check. */
inline Status
check_meta(const IvfMeta &meta, std::uint32_t blocks, IvfShape &shape) noexcept
{
	if (meta.magic != kIvfMagic)
		return Status::error(Code::corrupt, "wrong magic number in metapage");
	if (meta.min_reader_version > kIvfVersion)
		return Status::error(Code::limit_exceeded, "index format version %u needs a newer vecdb", meta.version);
	bool product = meta.quantizer == static_cast<std::uint8_t>(Quantizer::pq);
	std::uint32_t most = meta.pq_bits == 8 ? kMaxPq8Segments : kMaxPq4Segments;
	if (product &&
		((meta.pq_bits != 4 && meta.pq_bits != 8) || meta.pq_segments < 1 || meta.pq_segments > most ||
		 meta.pq_segments > (meta.dimensions + 15) / 16 * 16 || (meta.pq_bits == 4 && meta.pq_segments % 4 != 0)))
		return Status::error(Code::corrupt, "invalid product codes in metapage");
	const bool sparse = meta.element_type == static_cast<std::uint8_t>(ElementType::sparse);
	if (sparse ? meta.dimensions > kMaxSparseDimensions || meta.sketch_dims != sketch_dimensions(meta.dimensions) ||
					 meta.quantizer != static_cast<std::uint8_t>(Quantizer::rabitq) ||
					 meta.rerank != static_cast<std::uint8_t>(Rerank::heap)
			   : meta.dimensions > kMaxBits || meta.sketch_dims != 0)
		return Status::error(Code::corrupt, "invalid fields in metapage");
	if (meta.dimensions < 1 || meta.metric < 1 || meta.metric > 6 ||
		!ivf_shape(row_dimensions(meta), ivf_options(meta), shape) || meta.directory == 0 || meta.directory >= blocks ||
		(meta.mean_block != kNoBlock && meta.mean_block >= blocks) ||
		(meta.codebook_block != kNoBlock && meta.codebook_block >= blocks))
		return Status::error(Code::corrupt, "invalid fields in metapage");
	return Status::success();
}

/* Null, or what is wrong with a list page's header. */
inline const char *
check_list_header(const ListHeader &h, const IvfShape &s) noexcept
{
	if (h.blocks > s.blocks_per_page)
		return "a list page has too many blocks";
	return nullptr;
}

}  // namespace vecdb::core::layout
