/** Prefixes of variables that other programs read. */
const STRANGERS = /^(OTEL_|PG|NPM_|NODE_|KUBERNETES_|GITHUB_)|_SERVICE_(HOST|PORT)/i;

/** Addresses that Kubernetes and Docker set for linked services. */
const LINK = /^(tcp|udp):\/\//;

/** Shorter names are not compared: they resemble too many words. */
const SHORT = 6;

/**
 * Finds variables that look like settings but are none, such as `MAX_COSTS`.
 *
 * @param env the variables of the process
 * @param settings the names of all settings
 * @returns each such variable, with the setting that it is nearest to
 */
export function misspeltVariables(
  env: Readonly<Record<string, string | undefined>>,
  settings: readonly string[],
): { readonly name: string; readonly nearest: string }[] {
  return Object.entries(env).flatMap(([name, value]) => {
    if (value === undefined || value === '' || settings.includes(name) || STRANGERS.test(name) || LINK.test(value))
      return [];
    const [best] = settings
      .map((setting) => ({ setting, distance: distanceOf(name, setting) }))
      .filter(({ setting, distance }) => distance <= allowedFor(setting) || isPartOf(name, setting))
      .sort((a, b) => a.distance - b.distance);
    return best === undefined ? [] : [{ name, nearest: best.setting }];
  });
}

/** How many letters may be wrong in a name. */
function allowedFor(setting: string): number {
  const { length } = plain(setting);
  return length < SHORT ? 0 : Math.floor(length / 4);
}

/** The name without case and underscores; the ending -IES counts as -Y. */
function plain(name: string): string {
  return name.toUpperCase().replaceAll('_', '').replace(/IES$/, 'Y');
}

/**
 * Whether one name is the other with words left out or added, such as `REQUEST_TIMEOUT`. Hosting platforms add words to the names of their
 * URLs.
 */
function isPartOf(name: string, setting: string): boolean {
  if (setting.endsWith('_URL')) return false;
  const [words, ours] = [name, setting].map((text) => new Set(text.toUpperCase().split('_'))) as [
    Set<string>,
    Set<string>,
  ];
  const shared = [...words].filter((word) => ours.has(word)).length;
  return shared >= 2 && shared === Math.min(words.size, ours.size) && shared * 2 >= Math.max(words.size, ours.size);
}

/** How many letters have to be inserted, deleted or changed (Levenshtein), ignoring case and underscores. */
function distanceOf(one: string, other: string): number {
  const [a, b] = [plain(one), plain(other)];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, expected] of [...b].entries()) {
      const [left = 0, up = 0, diagonal = 0] = [next[j], row[j + 1], row[j]];
      next.push(Math.min(left + 1, up + 1, diagonal + (letter === expected ? 0 : 1)));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
