import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Deployment } from 'kubernetes-models/apps/v1';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2';
import { Job } from 'kubernetes-models/batch/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { Service } from 'kubernetes-models/v1';
import { type Test, t } from 'tap';
import { parse, parseAllDocuments } from 'yaml';
import { SECRETS } from '../../src/app/settings/secret-files.ts';
import { exited } from '../../src/cli/services/process.ts';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';
import { blocks, pageText } from '../docs/document.ts';
import { portForLater } from '../support/port.ts';
import { freshDatabase, freshRedis } from '../support/services.ts';
import { until } from '../support/until.ts';

const PAGE = 'docs/kubernetes.md';
const read = (...path: string[]) => readFileSync(join(REPOSITORY, ...path), 'utf8');
const documents: unknown[] = parseAllDocuments(read('docs', 'kubernetes', 'larder.yaml')).map((document) => {
  if (document.errors.length > 0) throw document.errors[0];
  return document.toJS() as unknown;
});
/** The one object of a kind. */
function object<T>(kind: string): T {
  const [found, ...more] = documents.filter((document) => (document as { kind: string }).kind === kind);
  if (found === undefined || more.length > 0) throw new Error(`There is not one ${kind}.`);
  return found as T;
}

const deployment = new Deployment(object('Deployment'));
const job = new Job(object('Job'));
const service = new Service(object('Service'));
const budget = new PodDisruptionBudget(object('PodDisruptionBudget'));
const scaler = new HorizontalPodAutoscaler(object('HorizontalPodAutoscaler'));

const pod = deployment.spec?.template;
const [server] = pod?.spec?.containers ?? [];
const [migration] = job.spec?.template.spec?.containers ?? [];
const settings = Object.fromEntries((server?.env ?? []).map(({ name, value = '' }) => [name, value]));
const portOf = (name: string | number | undefined) => server?.ports?.find((port) => port.name === name)?.containerPort;

/** Kubernetes drops what it does not know, and the schemas let it pass: the types do not. */
function typeErrors(t: Test): string {
  const directory = t.testdir({});
  const groups: Record<string, string> = { 'batch/v1': 'batch/v1', 'apps/v1': 'apps/v1', v1: 'v1' };
  const source = documents.map((document, i) => {
    const { apiVersion, kind } = document as { apiVersion: string; kind: string };
    const group = groups[apiVersion] ?? apiVersion;
    return `import type { I${kind} as T${i} } from 'kubernetes-models/${group}';\nexport const o${i}: T${i} = ${JSON.stringify(document)};\n`;
  });
  writeFileSync(join(directory, 'manifest.ts'), source.join(''));
  writeFileSync(join(directory, 'package.json'), '{ "type": "commonjs" }');
  symlinkSync(join(REPOSITORY, 'node_modules'), join(directory, 'node_modules'));
  const compilerOptions = { strict: true, noEmit: true, module: 'nodenext', target: 'es2023', skipLibCheck: true };
  writeFileSync(
    join(directory, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: { ...compilerOptions, types: [] }, files: ['manifest.ts'] }),
  );
  const tsc = join(REPOSITORY, 'node_modules', '.bin', 'tsc');
  const { stdout, stderr } = spawnSync('env', ['-u', 'NODE_OPTIONS', tsc, '-p', directory], { encoding: 'utf8' });
  return stdout + stderr;
}

t.test('the manifest is what Kubernetes takes, without a word that it would drop', async (t) => {
  for (const model of [deployment, job, service, budget, scaler]) t.doesNotThrow(() => model.validate(), model.kind);
  t.equal(documents.length, 5);
  t.equal(typeErrors(t), '');
  const broken = new Deployment({ ...object<object>('Deployment'), spec: { replicas: 'two' } } as never);
  t.throws(() => broken.validate(), 'the schemas find what is wrong');
});

t.test('its parts belong together', async (t) => {
  const labels = pod?.metadata?.labels;
  const chosen = { 'app.kubernetes.io/name': 'larder', 'app.kubernetes.io/component': 'server' };
  t.same(labels, chosen);
  t.same(deployment.spec?.selector.matchLabels, labels);
  t.same(service.spec?.selector, labels);
  t.same(budget.spec?.selector?.matchLabels, labels);
  t.notSame(job.spec?.template.metadata?.labels, labels, 'a migration is no server');
  t.same(scaler.spec?.scaleTargetRef, { apiVersion: 'apps/v1', kind: 'Deployment', name: deployment.metadata?.name });
  t.equal(portOf(service.spec?.ports?.[0]?.targetPort), Number(settings.PORT));
  t.equal(portOf('metrics'), Number(settings.METRICS_PORT));
  t.equal(deployment.spec?.replicas, undefined, 'the number of servers is one’s alone');
  t.ok(Number(scaler.spec?.minReplicas) > Number(budget.spec?.maxUnavailable), 'one may always go');
  const { version } = JSON.parse(read('package.json')) as { version: string };
  t.equal(server?.image, `registry.example.com/larder:${version}`);
  t.equal(migration?.image, server?.image);
  t.equal(job.metadata?.name, `larder-migrate-${version.replaceAll('.', '-')}`);
  const commands = blocks(pageText(PAGE)).find(({ language }) => language === 'sh')?.text ?? '';
  t.ok(commands.includes(`job/${job.metadata?.name}`), 'the page waits for it');
  for (const spec of [pod?.spec, job.spec?.template.spec]) {
    const secret = spec?.volumes?.[0]?.secret?.secretName ?? '';
    t.ok(commands.includes(`secret generic ${secret} `), `the page makes the secret ${secret}`);
    for (const { name, value = '' } of spec?.containers[0]?.env ?? []) {
      if (name.endsWith('_FILE')) t.ok(commands.includes(`--from-literal=${value.split('/').at(-1)}=`), value);
    }
  }
});

t.test('what it sets is there to be set, and nothing of it is a contradiction', async (t) => {
  const example = new Set([...read('.env.example').matchAll(/^(?:# )?([A-Z_]+)=/gm)].map(([, name]) => name));
  const files = new Set<string>(SECRETS.map((name) => `${name}_FILE`));
  for (const container of [server, migration]) {
    for (const { name } of container?.env ?? []) t.ok(example.has(name) || files.has(name), name);
  }
  const milliseconds = (name: string) => Number(settings[name]);
  const stopping = milliseconds('SHUTDOWN_DELAY_MS') + milliseconds('SHUTDOWN_TIMEOUT_MS');
  t.ok(Number(pod?.spec?.terminationGracePeriodSeconds) * 1000 > stopping, 'a stop has the time that it may take');
  const { periodSeconds = 0, failureThreshold = 0, timeoutSeconds = 0 } = server?.readinessProbe ?? {};
  const noticed = (periodSeconds * failureThreshold + timeoutSeconds) * 1000;
  t.ok(noticed < milliseconds('SHUTDOWN_DELAY_MS'), 'nobody is sent to a server that closes its port');
  for (const { securityContext } of [server, migration].map(
    (container) => container ?? { securityContext: undefined },
  )) {
    t.same(securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  }
  for (const spec of [pod?.spec, job.spec?.template.spec]) {
    t.match(spec?.securityContext, { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    t.same([spec?.enableServiceLinks, spec?.automountServiceAccountToken], [false, false]);
  }
  t.ok(
    (server?.ports ?? []).every(({ containerPort }) => containerPort >= 1024),
    'no port wants root',
  );
});

t.test('the heap and what is around it fit into the memory, with the flags of npm start', async (t) => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: { start: string } };
  const flags = scripts.start.split(' ').filter((word) => word.startsWith('--'));
  const command = server?.command ?? [];
  for (const flag of flags) t.ok(command.includes(flag), flag);
  t.equal(command.at(-1), 'dist/main.js');
  const megabytes = (flag: string) => Number(command.find((word) => word.startsWith(`--${flag}=`))?.split('=')[1]);
  const heap = megabytes('max-old-space-size') + 3 * megabytes('max-semi-space-size');
  t.equal(server?.resources?.limits?.memory, '1Gi');
  t.ok(heap + 200 <= 1024, `${heap} MB and 200 for what is outside of the heap`);
  t.ok(megabytes('max-old-space-size') > megabytes('initial-old-space-size'));
  t.equal(server?.resources?.requests?.memory, server?.resources?.limits?.memory, 'what it may take is kept for it');
});

/** The server as it is in the image, apart from what is installed beside it. */
function build(t: Test): string {
  const directory = t.testdir({});
  const tsc = join(REPOSITORY, 'node_modules', '.bin', 'tsc');
  const args = ['-u', 'NODE_OPTIONS', tsc, '-p', 'tsconfig.build.json', '--outDir', join(directory, 'dist')];
  const { status, stdout } = spawnSync('env', args, { cwd: REPOSITORY, encoding: 'utf8' });
  t.equal(status, 0, stdout);
  cpSync(join(REPOSITORY, 'package.json'), join(directory, 'package.json'));
  for (const folder of ['migrate/sql', 'http/inspector/graphiql/page']) {
    mkdirSync(join(directory, 'dist', folder), { recursive: true });
    cpSync(join(REPOSITORY, 'src', folder), join(directory, 'dist', folder), { recursive: true });
  }
  symlinkSync(join(REPOSITORY, 'node_modules'), join(directory, 'node_modules'));
  return directory;
}

t.test(
  'its server answers the probes and the scaler, and stops in time, without a right to write a file',
  async (t) => {
    const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
    const directory = build(t);
    const addresses = { DATABASE_URL: database.url, REDIS_URL: redis.url };
    for (const [name, address] of Object.entries(addresses)) writeFileSync(join(directory, name), `${address}\n`);
    const port = await portForLater();
    const metricsPort = await portForLater();
    const env = {
      ...Object.fromEntries(
        Object.entries(settings).map(([name, value]) => [name, value.replace('/run/secrets/larder', directory)]),
      ),
      PORT: String(port),
      METRICS_PORT: String(metricsPort),
      SHUTDOWN_DELAY_MS: '0',
      // A machine that does much else lags.
      MAX_EVENT_LOOP_DELAY_MS: '0',
    };
    const [, ...args] = server?.command ?? [];
    // Node itself refuses to write, whoever runs this and on whatever file system; no process, worker or addon is allowed, either.
    const permission = Number(process.versions.node.split('.')[0]) >= 24 ? '--permission' : '--experimental-permission';
    const network = Number(process.versions.node.split('.')[0]) >= 25 ? ['--allow-net'] : [];
    const node = [process.execPath, permission, '--allow-fs-read=*', ...network, ...args];
    // tap tells each Node that a test starts to load what is not allowed here.
    const child: ChildProcess = spawn('env', ['-u', 'NODE_OPTIONS', ...node], {
      cwd: directory,
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
    }
    const ended = exited(child);
    t.teardown(async () => {
      child.kill('SIGKILL');
      await ended;
    });
    const statusOf = async (path = '') => (await fetch(`http://127.0.0.1:${port}${path}`)).status;
    await until(
      'it listens',
      () => {
        if (child.exitCode !== null) throw new Error(`It ended: ${said}`);
        return said.includes('Server listening at');
      },
      120,
    );
    for (const probe of [server?.startupProbe, server?.livenessProbe]) {
      t.equal(portOf(probe?.httpGet?.port), 4000);
      t.equal(await statusOf(probe?.httpGet?.path), 200, probe?.httpGet?.path ?? 'no path');
    }
    t.equal(portOf(server?.readinessProbe?.httpGet?.port), 4000);
    await until('it is ready', async () => (await statusOf(server?.readinessProbe?.httpGet?.path)) === 200);
    t.equal(await statusOf('/graphql?query=%7Bbrands%7BtotalCount%7D%7D'), 200);
    const scraped = async () => (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    const name = scaler.spec?.metrics?.[0]?.pods?.metric.name;
    const values = [await scraped(), await scraped()].map((text) =>
      Number(new RegExp(`^${name} ([\\d.e-]+)$`, 'm').exec(text)?.[1]),
    );
    for (const value of values) t.ok(value >= 0 && value <= 1, `${name} is a share: ${value}`);
    const [, wanted] = /^(\d+)m$/.exec(String(scaler.spec?.metrics?.[0]?.pods?.target.averageValue)) ?? [];
    t.ok(Number(wanted) > 0 && Number(wanted) < 1000, 'and so is what the scaler wants');
    const rules = blocks(pageText(PAGE)).find(({ text }) => text.includes('seriesQuery'))?.text ?? '';
    const adapter = parse(rules) as { rules: { seriesQuery: string }[] };
    t.match(adapter.rules[0]?.seriesQuery, new RegExp(`^${name}\\{`));
    child.kill('SIGTERM');
    t.equal(await ended, 'exit code 0');
    t.notMatch(said, /ERR_ACCESS_DENIED|EACCES|EROFS/, 'it has not tried to write, either');
  },
);
