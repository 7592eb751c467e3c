/* The same loop in C: attach, switch, touch and one-page zap of a shared region, for per-mm
 * and merged on eager masks, with the stale-hit check and the counts of the full machine. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { SWITCH, IDLE, TOUCH, INVALIDATE, ATTACH };
enum { SLOTS = 6, CLUSTER_BITS = 4 };
enum { FLUSH_EVENTS, ROUNDS, IPIS, USEFUL, SHARER_IPIS, IDLE_IPIS, BYSTANDER_IPIS, CSDS, ICR,
       PAGE_FLUSHES, FULL_FLUSHES, GLOBAL_FLUSHES, BUMPS, WORDS, BROADCASTS, FAULTS, DENIED,
       SWITCH_TAX, SWITCH_FLUSHES, WALKS, LOST, STALE, DEFERRED_HITS, COUNTS };

struct cpu { /* owner 0: nobody's slot */
	uint64_t used[SLOTS]; /* sets that may hold an entry of the slot, at most 64 sets */
	int64_t gen[SLOTS];
	int32_t owner[SLOTS];
	int32_t loaded, slot, next;
};
struct mm { int64_t gen; int32_t sharer, cpus, round, targets, clusters, last; };
struct page { uint32_t version, done, set; };

static struct {
	int merged, cpus, words, sets, ways, sharers;
	int64_t shared;   /* bumps that all sharers had */
	uint32_t change;
	int32_t round;
	struct cpu *cpu;
	struct mm *mm;
	struct page *page;
	uint64_t *tlb, *masks, *all; /* entry: page << 35 | slot + 1 << 32 | version */
	int32_t *member;  /* sharers' masks that a CPU is in */
	int64_t n[COUNTS];
} m;

static inline int64_t generation(int mm)
{
	return m.mm[mm].gen + (m.mm[mm].sharer ? m.shared : 0);
}

static inline void join_all(int cpu)
{
	m.member[cpu]++;
	m.all[cpu >> 6] |= 1ull << (cpu & 63);
}

static void enter_mask(int mm, int cpu)
{
	uint64_t *word = &m.masks[(int64_t)mm * m.words + (cpu >> 6)], bit = 1ull << (cpu & 63);

	if (*word & bit)
		return;
	*word |= bit;
	m.mm[mm].cpus++;
	if (m.mm[mm].sharer)
		join_all(cpu);
}

static void leave_mask(int mm, int cpu)
{
	uint64_t *word = &m.masks[(int64_t)mm * m.words + (cpu >> 6)], bit = 1ull << (cpu & 63);

	if (!(*word & bit))
		return;
	*word &= ~bit;
	m.mm[mm].cpus--;
	if (m.mm[mm].sharer && --m.member[cpu] == 0)
		m.all[cpu >> 6] &= ~bit;
}

/* Drops page (or every page, for -1) of one slot from one set. */
static inline int thin(uint64_t *set, int64_t page, int slot, uint32_t changed, int64_t *live)
{
	int kept = 0, useful = 0;

	for (int way = 0; way < m.ways && set[way]; way++) {
		uint64_t entry = set[way];
		int64_t of = entry >> 35;

		set[way] = 0;
		if ((int)(entry >> 32 & 7) - 1 != slot || (page >= 0 && of != page))
			set[kept++] = entry;
		else if ((uint32_t)entry == m.page[of].version)
			++*live;
		else if (of == changed)
			useful = 1;
	}
	return useful;
}

static int drop_slot(int cpu, int slot, uint32_t changed, int64_t *live)
{
	uint64_t sets = m.cpu[cpu].used[slot];
	int useful = 0;

	m.cpu[cpu].used[slot] = 0;
	for (; sets; sets &= sets - 1) {
		int64_t set = (int64_t)cpu * m.sets + __builtin_ctzll(sets);

		useful |= thin(m.tlb + set * m.ways, -1, slot, changed, live);
	}
	return useful;
}

static int act(int cpu, uint32_t page)
{
	struct cpu *c = &m.cpu[cpu];
	int64_t current = generation(c->loaded), mine = c->gen[c->slot], none;
	uint32_t set = m.page[page].set;

	if (!c->loaded || mine == current)
		return 0;
	c->gen[c->slot] = current;
	if (!m.merged && mine + 1 == current) {
		m.n[PAGE_FLUSHES]++;
		if (!(c->used[c->slot] >> set & 1))
			return 0;
		return thin(m.tlb + ((int64_t)cpu * m.sets + set) * m.ways, page, c->slot, page, &none);
	}
	m.n[FULL_FLUSHES]++;
	return drop_slot(cpu, c->slot, page, &m.n[LOST]);
}

static void interrupt(int cpu, uint32_t page)
{
	int loaded = m.cpu[cpu].loaded;

	m.n[!loaded ? IDLE_IPIS : m.mm[loaded].sharer ? SHARER_IPIS : BYSTANDER_IPIS]++;
	m.n[IPIS]++;
	m.n[USEFUL] += act(cpu, page);
}

static void count_target(struct mm *mm, int cpu)
{
	if (mm->round != m.round) {
		mm->round = m.round;
		mm->targets = mm->clusters = 0;
		mm->last = -1;
		m.n[ROUNDS]++;
	}
	if (mm->last != cpu >> CLUSTER_BITS) {
		mm->last = cpu >> CLUSTER_BITS;
		mm->clusters++;
		m.n[ICR]++;
	}
	if (++mm->targets == m.cpus - 1)
		m.n[ICR] += 1 - mm->clusters;
}

static void flush(int initiator, uint32_t page)
{
	m.n[FLUSH_EVENTS]++;
	m.shared++;
	m.n[BUMPS] += m.sharers;
	m.n[WORDS] += (int64_t)m.words * m.sharers;
	m.round++;
	for (int at = 0; at < m.words; at++)
		for (uint64_t word = m.all[at]; word; word &= word - 1) {
			int cpu = at * 64 + __builtin_ctzll(word), mm = m.cpu[cpu].loaded;

			if (!m.merged && !m.mm[mm].sharer)
				continue;
			if (cpu == initiator) {
				act(cpu, page);
				continue;
			}
			interrupt(cpu, page);
			count_target(&m.mm[m.merged ? 0 : mm], cpu);
		}
}

static void switch_to(int cpu, int mm)
{
	struct cpu *c = &m.cpu[cpu];
	int slot = c->next;
	int64_t none;

	if (c->loaded == mm)
		return;
	if (c->loaded)
		leave_mask(c->loaded, cpu);
	enter_mask(mm, cpu);
	c->loaded = mm;
	for (int other = 0; other < SLOTS; other++)
		if (c->owner[other] == mm)
			slot = other;
	c->slot = slot;
	if (c->owner[slot] != mm)
		c->next = (slot + 1) % SLOTS;
	else if (c->gen[slot] >= generation(mm))
		return;
	drop_slot(cpu, slot, -1, &none);
	m.n[SWITCH_FLUSHES]++;
	c->owner[slot] = mm;
	c->gen[slot] = generation(mm);
}

static inline void touch(int cpu, uint32_t page)
{
	struct cpu *c = &m.cpu[cpu];
	struct page *p = &m.page[page];
	uint64_t key = (uint64_t)page << 3 | (c->slot + 1), current = key << 32 | p->version;
	uint64_t *set = m.tlb + ((int64_t)cpu * m.sets + p->set) * m.ways, moved = current;

	if (set[0] == current)
		return;
	for (int way = 0; way < m.ways; way++) {
		uint64_t entry = set[way];

		set[way] = moved;
		moved = entry;
		if (entry >> 32 == key) {
			if (entry == current)
				return;
			set[0] = entry;
			m.n[(uint32_t)entry < p->done ? STALE : DEFERRED_HITS]++;
			return;
		}
		if (!entry)
			break;
	}
	m.n[WALKS]++;
	c->used[c->slot] |= 1ull << p->set;
}

static void attach(int mm)
{
	m.mm[mm].gen -= m.shared;
	m.mm[mm].sharer = 1;
	m.sharers++;
	for (int at = 0; at < m.words; at++)
		for (uint64_t word = m.masks[(int64_t)mm * m.words + at]; word; word &= word - 1)
			join_all(at * 64 + __builtin_ctzll(word));
}

/* Returns 0, or -1 for no memory or an event this loop does not know. changes: rows of five,
 * as the machine's; set: of each page. */
int run(const int32_t *cpu, const uint8_t *event, const int32_t *what, int64_t events,
	 const int64_t *changes, const int64_t *set, int64_t pages, int cpus,
	int mms, int sets, int ways, int merged, int64_t *out)
{
	int failed = 0;

	memset(&m, 0, sizeof(m));
	m.merged = merged, m.cpus = cpus, m.words = (cpus + 63) / 64, m.sets = sets, m.ways = ways;
	m.cpu = calloc(cpus, sizeof(*m.cpu));
	m.member = calloc(cpus, sizeof(*m.member));
	m.mm = calloc(mms + 1, sizeof(*m.mm));
	m.page = calloc(pages, sizeof(*m.page));
	m.tlb = aligned_alloc(64, ((size_t)cpus * sets * ways * 8 + 63) / 64 * 64);
	m.masks = calloc((size_t)(mms + 1) * m.words, 8);
	m.all = calloc(m.words, 8);
	if (!m.cpu || !m.member || !m.mm || !m.page || !m.tlb || !m.masks || !m.all || sets > 64)
		failed = -1;
	else
		memset(m.tlb, 0, (size_t)cpus * sets * ways * 8);
	for (int64_t at = 0; at < pages && !failed; at++)
		m.page[at].set = set[at];
	for (int64_t at = 0; at < events && !failed; at++) {
		if (event[at] == TOUCH) {
			if (m.cpu[cpu[at]].loaded)
				touch(cpu[at], what[at]);
		} else if (event[at] == SWITCH) {
			switch_to(cpu[at], what[at]);
		} else if (event[at] == ATTACH) {
			attach(what[at]);
		} else if (event[at] == INVALIDATE && changes[(int64_t)what[at] * 5 + 1] == 1) {
			struct page *one = &m.page[changes[(int64_t)what[at] * 5 + 3]];

			one->version = ++m.change;
			flush(cpu[at], changes[(int64_t)what[at] * 5 + 3]);
			one->done = m.change;
		} else {
			failed = -1;
		}
	}
	m.n[CSDS] = m.n[IPIS];
	memcpy(out, m.n, sizeof(m.n));
	free(m.cpu), free(m.member), free(m.mm), free(m.page);
	free(m.tlb), free(m.masks), free(m.all);
	return failed;
}
