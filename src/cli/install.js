// Installs the packages of package-lock.json, and says how far that is: npm itself says nothing for a minute. Plain JavaScript, since what
// loads TypeScript is among the packages.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const help = `Installs the packages that package-lock.json names, and says how far it is.

  node src/cli/install.js [DIRECTORY]

DIRECTORY has a package.json and a package-lock.json; the current one unless given.
`;

/** How often it says so: on a terminal in place, elsewhere by a line. */
const [TERMINAL_MS, LOG_MS] = [500, 10_000];

/** How many packages the lock file has for this machine. */
function expected(directory) {
  const { packages } = JSON.parse(readFileSync(join(directory, 'package-lock.json'), 'utf8'));
  const libc = process.report.getReport().header.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
  const fits = (names, own) => names === undefined || names.includes(own);
  return Object.entries(packages).filter(
    ([path, one]) =>
      path !== '' && fits(one.os, process.platform) && fits(one.cpu, process.arch) && fits(one.libc, libc),
  ).length;
}

/** How many packages lie in a folder of node_modules, and within them. npm makes the folders of all at once, and fills them one by one. */
function installed(folder) {
  if (!existsSync(folder)) return 0;
  let count = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!entry.isDirectory() || entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    if (entry.name.startsWith('@')) count += installed(path);
    else count += (existsSync(join(path, 'package.json')) ? 1 : 0) + installed(join(path, 'node_modules'));
  }
  return count;
}

const [directory = '.'] = process.argv.slice(2);
if (directory === '--help') {
  process.stdout.write(help);
  process.exit();
}
const folder = join(directory, 'node_modules');
// `npm ci` would remove the packages first, and what runs on them now would break; it is for a clone that has none.
const verb = existsSync(folder) ? 'install' : 'ci';
const total = expected(directory);
const started = Date.now();
const terminal = process.stderr.isTTY === true;
const tell = () => {
  const seconds = Math.round((Date.now() - started) / 1000);
  const text = `npm ${verb}: ${Math.min(installed(folder), total)} of ${total} packages, ${seconds} s`;
  process.stderr.write(terminal ? `\r${text}` : `${text}\n`);
};
process.stderr.write(`Installing ${total} packages by npm, which takes about a minute.\n`);
const timer = setInterval(tell, terminal ? TERMINAL_MS : LOG_MS);
const npm = spawn('npm', [verb, '--no-audit', '--no-fund', '--loglevel=error', '--progress=false'], {
  cwd: directory,
  stdio: 'inherit',
});
npm.once('error', (error) => {
  clearInterval(timer);
  process.stderr.write(`npm cannot be started: ${error.message}\n`);
  process.exitCode = 1;
});
npm.once('close', (code, signal) => {
  clearInterval(timer);
  if (code === 0) tell();
  if (terminal) process.stderr.write('\n');
  process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1);
});
