import { table } from '../report.ts';
import { medianOf } from '../results.ts';
import type { Traffic } from '../traffic.ts';
import { type Samples, VARIANTS, type Variant } from './measure-overhead.ts';

/** How much of the requests per second inspection may cost while nobody inspects. */
const ALLOWED = 0.02;

const TITLES: Readonly<Record<Variant, string>> = {
  uncounted: 'nothing counted for requests',
  off: '`INSPECT=off`',
  header: '`INSPECT=header`, nobody asks',
};

/**
 * Writes as Markdown what inspection costs when nobody inspects.
 *
 * @param measured the samples of each kind of traffic
 * @returns the text
 */
export function reportOverhead(measured: Readonly<Partial<Record<Traffic, Samples>>>): string {
  return Object.entries(measured)
    .map(([traffic, samples]) => [`${traffic}:`, '', ...rows(samples), '', verdict(samples)].join('\n'))
    .join('\n\n');
}

function rows(samples: Samples): string[] {
  const head = ['', 'requests/s', 'server CPU for 1,000 requests, s', 'requests/s of the first, %'];
  return table(
    head,
    VARIANTS.map((variant) => {
      const of = (pick: 'perSecond' | 'serverCpu') => median(samples[variant].map((sample) => sample[pick]));
      const shares = sharesOf(samples, variant);
      const percent = (share: number) => (share * 100).toFixed(1);
      const range = `${percent(Math.min(...shares))} – ${percent(Math.max(...shares))}`;
      return [
        TITLES[variant],
        Math.round(of('perSecond')).toLocaleString('en-US'),
        of('serverCpu').toFixed(3),
        variant === 'uncounted' ? '100' : `${percent(median(shares))} (${range})`,
      ];
    }),
  );
}

function verdict(samples: Samples): string {
  const lost = 1 - median(sharesOf(samples, 'off'));
  const errors = VARIANTS.flatMap((variant) => samples[variant]).reduce((sum, sample) => sum + sample.errors, 0);
  const passed = lost <= ALLOWED && errors === 0 ? 'pass' : 'FAIL';
  return `${passed}: ${(lost * 100).toFixed(1)} % fewer requests per second, at most ${ALLOWED * 100} % wanted; ${errors} errors.`;
}

/** A variant's rate beside that of the first, of which it was measured seconds later or earlier. */
function sharesOf(samples: Samples, variant: Variant): number[] {
  return samples[variant].map(
    ({ perSecond }, round) => perSecond / (samples.uncounted[round]?.perSecond ?? Number.NaN),
  );
}

function median(values: readonly number[]): number {
  return medianOf(values.toSorted((a, b) => a - b));
}
