import type { Redis, Result } from 'ioredis';

/** How Redis' answer begins when a key holds a list or a hash, or whatever else is no text. */
export const OTHER_TYPE = 'WRONGTYPE';

/**
 * Leases each key that is empty, and says what stands under the others. Where a stale body was seen the lease takes its place, whatever
 * stands there by now. A key that holds no text is emptied: no lease can be had of it, and nothing else would ever end what somebody
 * put there. That comes last, because a Redis that is full refuses a script to store anything only until it has written something.
 * One script instead of a SET for each key, which would cost the server the more the more bodies a page has.
 */
const LEASE = `
local replies, foreign = {}, {}
for i, key in ipairs(KEYS) do
  local reply
  if string.sub(ARGV[3], i, i) == '1' then reply = redis.pcall('SET', key, ARGV[1], 'PX', ARGV[2])
  else reply = redis.pcall('SET', key, ARGV[1], 'NX', 'GET', 'PX', ARGV[2]) end
  if type(reply) == 'table' then reply = reply.err or false end
  if reply and string.find(reply, '^${OTHER_TYPE}') then table.insert(foreign, key) end
  replies[i] = reply
end
for _, key in ipairs(foreign) do redis.pcall('UNLINK', key) end
return replies`;

/** How many keys a script names in one command: Lua gives no function more than 8000 arguments. */
export const MOST_NAMED = 5000;

/**
 * Reads keys, of which the last is the heartbeat, and leases those that are empty in the same round trip. What is asked for by id alone
 * is leased only while the heartbeat vouches for what it would be filled with. A key that holds no text is left to the other script.
 */
const READ_OR_LEASE = `
local values = {}
for before = 0, #KEYS - 1, ${MOST_NAMED} do
  local part = redis.call('MGET', unpack(KEYS, before + 1, math.min(before + ${MOST_NAMED}, #KEYS)))
  for i, value in ipairs(part) do values[before + i] = value end
end
local vouched = values[#KEYS]
for i = 1, #KEYS - 1 do
  if not values[i] and (vouched or string.sub(ARGV[3], i, i) == '1') then
    local reply = redis.pcall('SET', KEYS[i], ARGV[1], 'NX', 'PX', ARGV[2])
    if type(reply) == 'table' and reply.ok then values[i] = ARGV[1] end
  end
end
return values`;

/** Stores each value only where the lease is still ours; an invalidation or another reader's lease forbids it. */
const FILL = `
local stored = 0
for i, key in ipairs(KEYS) do
  if redis.call('GET', key) == ARGV[1] then
    redis.call('SET', key, ARGV[2 * i], 'PX', ARGV[2 * i + 1])
    stored = stored + 1
  end
end
return stored`;

/** Stores each value where nothing stands: neither another one nor a lease. */
const ADD = `
local stored = 0
for i, key in ipairs(KEYS) do
  local reply = redis.pcall('SET', key, ARGV[2 * i - 1], 'NX', 'PX', ARGV[2 * i])
  if type(reply) == 'table' and reply.ok then stored = stored + 1 end
end
return stored`;

/** Frees the leases that are still ours: who reads next need not wait until they have ended. */
const RELEASE = `
local freed = 0
for _, key in ipairs(KEYS) do
  if redis.call('GET', key) == ARGV[1] then freed = freed + redis.call('UNLINK', key) end
end
return freed`;

/** How long Redis remembers whose it is when nobody says so any more, in milliseconds. Postgres remembers a domain for longer. */
const MARK_MS = 86_400_000;

/**
 * What a body was read in is found out where the heartbeat is written, so that a restart or a failover in between cannot mix
 * them up: the process (a restart begins another one) and its history (a failover begins another one, and so does the
 * way back). A heartbeat that was held up on its way vouches until the deadline that it was sent for, or not at all. Nor does one
 * of a process whose database is not the one that this Redis belongs to: what belongs to it is put back as it was.
 */
const beat = (more: string) => `
local info = redis.call('INFO', 'server', 'replication')
local run = string.match(info, 'run_id:(%w+)') .. string.match(info, 'master_replid:(%w+)')${more}
local now = math.floor(string.match(info, 'server_time_usec:(%d+)') / 1000)
local left = tonumber(ARGV[2]) - now
if ARGV[1] ~= run then return {run, now, redis.call('GET', KEYS[2])} end
local held = redis.call('SET', KEYS[2], ARGV[4], 'PX', ${MARK_MS}, 'GET')
if held and held ~= ARGV[4] and held ~= ARGV[5] and held ~= ARGV[6] then
  redis.call('SET', KEYS[2], held, 'PX', ${MARK_MS})
  return {run, now, held}
end
if left > 0 then redis.call('SET', KEYS[1], run .. ARGV[3], 'PX', left) end
return {run, now, ARGV[4]}`;

const BEAT = beat('');

/**
 * A node of a cluster is another run, too, as soon as it gets a slot: what it held of that slot before it gave it away may have missed an
 * invalidation. The epoch of its slots tells (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#configuration-epoch).
 */
const NODE_BEAT = beat(" .. ':' .. string.match(redis.call('CLUSTER', 'INFO'), 'cluster_my_epoch:(%d+)') .. ':'");

/** The time is Redis' own, so that processes whose clocks differ still share a bucket. */
const TAKE_POINTS = `
local rate, maximum, points = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local level = redis.call('HMGET', KEYS[1], 'points', 'at')
local filled = math.min(maximum, (tonumber(level[1]) or maximum) + math.max(0, now - (tonumber(level[2]) or now)) * rate)
local allowed = filled >= points
if allowed then filled = filled - points end
redis.call('HSET', KEYS[1], 'points', tostring(filled), 'at', string.format('%.6f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil(maximum / rate * 1000))
return {allowed and 1 or 0, tostring(filled)}`;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    larderTakePoints(key: string, ...args: number[]): Result<[number, string], Context>;
    larderRead(keyCount: number, ...args: (string | number)[]): Result<(string | null)[], Context>;
    larderLease(keyCount: number, ...args: (string | number)[]): Result<(string | null)[], Context>;
    larderFill(keyCount: number, ...args: (string | number)[]): Result<number, Context>;
    larderAdd(keyCount: number, ...args: (string | number)[]): Result<number, Context>;
    larderRelease(keyCount: number, ...args: string[]): Result<number, Context>;
    larderBeat(
      ...keysAndArguments: (string | number)[]
    ): Result<[run: string, now: number, held: string | null], Context>;
    larderNodeBeat(
      ...keysAndArguments: (string | number)[]
    ): Result<[run: string, now: number, held: string | null], Context>;
  }
}

/**
 * Makes the scripts commands of a connection.
 *
 * @param redis the connection
 */
export function defineScripts(redis: Redis): void {
  redis.defineCommand('larderRead', { lua: READ_OR_LEASE });
  redis.defineCommand('larderLease', { lua: LEASE });
  redis.defineCommand('larderFill', { lua: FILL });
  redis.defineCommand('larderAdd', { lua: ADD });
  redis.defineCommand('larderRelease', { lua: RELEASE });
  redis.defineCommand('larderBeat', { lua: BEAT, numberOfKeys: 2 });
  redis.defineCommand('larderNodeBeat', { lua: NODE_BEAT, numberOfKeys: 2 });
  redis.defineCommand('larderTakePoints', { lua: TAKE_POINTS, numberOfKeys: 1 });
}

/**
 * Lets Redis know the scripts before they are first called.
 *
 * @param redis the connection
 * @throws when Redis cannot be told
 */
export async function loadScripts(redis: Redis): Promise<void> {
  for (const script of [READ_OR_LEASE, LEASE, FILL, ADD, RELEASE, BEAT, NODE_BEAT, TAKE_POINTS])
    await redis.script('LOAD', script);
}
