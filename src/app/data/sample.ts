import { base, en, Faker } from '@faker-js/faker';
import type { Dataset, TableName } from './dataset.ts';

/** How much sample data, and which. */
export interface SampleSize {
  readonly campaigns: number;
  readonly events: number;
  /** The same seed gives the same rows, on any day. */
  readonly seed: number;
}

const CAMPAIGNS_PER_BRAND = 25;
const PHRASES = 500;
const FIRST_DAY = Date.UTC(2020, 0, 1);
const HALF_HOURS = 48 * 365 * 6;
const HALF_HOUR_MS = 30 * 60 * 1000;
/** Every tenth event takes place at the same time, and in the same campaigns, as the one before. */
const TIE_EVERY = 10;

/**
 * Generates a data set. Rows are made on demand, so any size needs little memory.
 *
 * Events are spread unevenly: a few campaigns have many, most have few. Each belongs to one to three campaigns. Some begin at the same
 * time, and some at a microsecond, because a faulty paging by time fails on those.
 *
 * @param size how much, and which
 * @returns the rows of every table
 */
export function sampleDataset(size: SampleSize): Dataset {
  return {
    brands: brands(size),
    campaigns: campaigns(size),
    events: events(size),
    campaign_events: links(size),
  };
}

/**
 * @param size how much sample data
 * @returns how many brands, campaigns and events that makes; `null` where chance decides
 */
export function sampleCounts(size: SampleSize): Record<TableName, number | null> {
  return { brands: brandCount(size), campaigns: size.campaigns, events: size.events, campaign_events: null };
}

function brandCount(size: SampleSize): number {
  return Math.ceil(size.campaigns / CAMPAIGNS_PER_BRAND);
}

/** Each table has a random sequence of its own. Its rows do not depend on the size of other tables. */
function fakerOf(size: SampleSize, table: number): Faker {
  const faker = new Faker({ locale: [en, base] });
  faker.seed([size.seed, table]);
  return faker;
}

function* brands(size: SampleSize): Generator<string[]> {
  const faker = fakerOf(size, 1);
  for (let id = 1; id <= brandCount(size); id++) yield [String(id), faker.company.name()];
}

function* campaigns(size: SampleSize): Generator<string[]> {
  const faker = fakerOf(size, 2);
  const adjectives = pool(faker, () => faker.commerce.productAdjective());
  const products = pool(faker, () => faker.commerce.product());
  const seasons = ['Spring', 'Summer', 'Autumn', 'Winter'];
  const phrases = pool(faker, () => `${faker.company.catchPhrase()}.`);
  const brandTotal = brandCount(size);
  for (let id = 1; id <= size.campaigns; id++) {
    const season = `${faker.helpers.arrayElement(seasons)} ${faker.number.int({ min: 2020, max: 2025 })}`;
    const title = `${adjectives()} ${products()}, ${season}`;
    yield [String(id), String(faker.number.int({ min: 1, max: brandTotal })), title, phrases()];
  }
}

function* events(size: SampleSize): Generator<string[]> {
  const faker = fakerOf(size, 3);
  const songs = pool(faker, () => faker.music.songName());
  const cities = pool(faker, () => faker.location.city());
  const lines = [
    pool(faker, () => `With ${faker.music.artist()}.`),
    pool(faker, () => `Hosted by ${faker.person.fullName()}.`),
    pool(faker, () => `We serve ${faker.food.dish()}.`),
  ];
  let startsAt = '';
  for (let id = 1; id <= size.events; id++) {
    const body = lines.slice(0, faker.number.int({ min: 1, max: 3 })).map((line) => line());
    if (!isTie(id)) startsAt = time(faker);
    yield [String(id), `${songs()} in ${cities()}`, body.join('\n'), startsAt];
  }
}

function* links(size: SampleSize): Generator<string[]> {
  const faker = fakerOf(size, 4);
  const byRank = faker.helpers.shuffle(Array.from({ length: size.campaigns }, (_, i) => String(i + 1)));
  let linked = new Set<string>();
  for (let event = 1; event <= size.events; event++) {
    if (!isTie(event)) {
      const count = faker.helpers.weightedArrayElement([
        { value: 1, weight: 7 },
        { value: 2, weight: 2 },
        { value: 3, weight: 1 },
      ]);
      linked = new Set(Array.from({ length: count }, () => pickCampaign(faker, byRank)));
    }
    for (const campaign of linked) yield [campaign, String(event)];
  }
}

/** Squaring makes the first ranks likely, and leaves the last ones about half of the average. */
function pickCampaign(faker: Faker, byRank: readonly string[]): string {
  const rank = Math.floor(faker.number.float() ** 2 * byRank.length);
  return byRank[Math.min(rank, byRank.length - 1)] ?? '1';
}

function isTie(event: number): boolean {
  return event > 1 && event % TIE_EVERY === 0;
}

/** Most events begin at the hour or at half past, and every fifth at some microsecond. */
function time(faker: Faker): string {
  const slot = new Date(FIRST_DAY + faker.number.int({ max: HALF_HOURS - 1 }) * HALF_HOUR_MS).toISOString();
  if (faker.number.int({ max: 4 }) > 0) return slot;
  const micros = String(faker.number.int({ max: 999_999 })).padStart(6, '0');
  return `${slot.slice(0, 19)}.${micros}Z`;
}

/** Faker is slow. So some phrases are made ahead, and rows draw from them. */
function pool(faker: Faker, make: () => string): () => string {
  const phrases = Array.from({ length: PHRASES }, make);
  return () => faker.helpers.arrayElement(phrases);
}
