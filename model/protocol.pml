/*
 * How Larder keeps bodies from being stale, for one row and its body. README.md, in this folder, says how to read it.
 *
 * What is atomic here is atomic there: a command or a script of Redis, a statement or a commit of Postgres, what a process does
 * between two awaits. Between two such steps anything may happen and any time may pass.
 *
 * Time is counted in ticks. BOUND stands for MAX_STALENESS_MS, TTL for MEMORY_TTL_MS. Ages and spans are kept instead of times, and
 * none further than it matters, so that time has no end and the states are finite all the same.
 */

#ifndef BOUND
#define BOUND 3
#endif
#ifndef TTL
#define TTL 1
#endif
/* Heartbeats and memory end before BOUND - TTL and TTL ticks are over, so a read may still miss what was committed one tick less
   than BOUND ago minus one. A read that begins when this many ticks have passed since a commit must see it. */
#ifndef LATE
#define LATE (BOUND - 1)
#endif
#define FRESH (BOUND - TTL)

#ifndef WRITES
#define WRITES 1
#endif
#ifndef SERVERS
#define SERVERS 1
#endif
/* How often Redis may begin anew: restarts and promotions. */
#ifndef ERAS
#define ERAS 0
#endif
/* Readings under way at a time, numbered from 1 on: in the process that has a memory, here, and in one that has none, elsewhere. */
#ifndef HERE
#define HERE 0
#endif
#ifndef LISTS
#define LISTS 0
#endif
#ifndef ELSEWHERE
#define ELSEWHERE 0
#endif
#define READINGS (HERE + LISTS + ELSEWHERE)
#define MEMORY (HERE + LISTS > 0)
#ifndef EARS
#define EARS 2
#endif

#define older(age, most) age = (age < most -> age + 1 : age)
#define later(left) left = (left > 0 -> left - 1 : 0)

/* ---------------------------------------------------------------- Postgres */

byte row = 0;               /* the version of the row; each commit makes it one more */
byte written = 0;           /* how many writes have begun */
byte age[WRITES + 1];       /* how long ago each version was committed, up to LATE */
byte timely = 0;            /* the newest version that was committed LATE ticks ago or more */
byte promised = 0;          /* the newest version whose writer was told that it is done */
byte longPromised = 0;      /* the same, TTL ticks ago or more */
byte told[WRITES + 1];      /* one more than how long ago each version's writer was told; 0 when it was not */
#ifdef LOSSES
#define tell(version) told[version] = 1
#else
#define tell(version) skip
#endif

/* The outbox has what was committed and is newer than the position of the domain, outbox.pml tells why that is so. */
byte position = 0;          /* the newest version that was drained */
byte positionAge = 0;       /* how old the snapshot is that the position was taken in, up to FRESH */
bool draining = false;      /* somebody has locked the domain */
byte taken = 0;             /* the newest version that his snapshot has */
byte snapshotAge = 0;       /* how long ago that was */

/* ---------------------------------------------------------------- Redis */

#define EMPTY 0
#define LEASE 1
#define BODY 2

typedef Server {
  byte kind;                /* what stands under the key: nothing, a lease, a body */
  byte what;                /* whose lease, or which version */
  byte epoch;               /* the heartbeat's value when the body was read; 0 for none */
  byte beat;                /* for how long the heartbeat is there yet; 0 when it is not */
  byte beatEpoch;           /* its value */
  byte life;                /* which process it is */
  byte history              /* and which history of its data */
}
Server S[SERVERS];
byte primary = 0;
byte eras = 0;              /* how many have begun since the start */

#define RUNS (SERVERS + ERAS)
#ifdef WITHOUT_HISTORY_IN_EPOCH
#define epochOf(s) (1 + S[s].life)
#else
#define epochOf(s) (1 + S[s].life + RUNS * S[s].history)
#endif
#define runOf(epoch) ((epoch - 1) % RUNS)
#define beating(s) (S[s].beat > 0 -> S[s].beatEpoch : 0)

#define NOBODY 9
#define up(s) (s != NOBODY)
#if SERVERS == 1
#define takesWrites(s) up(s)
#define replicate(s) skip
#else
bool linked = true;         /* the other one hears of what the primary does */
bool follows = true;        /* the other one is a standby of the primary, and takes no writes */
#define takesWrites(s) (up(s) && (s == primary || !follows))
#define replicate(s) if \
  :: s == primary && follows && linked -> S[1 - s].kind = S[s].kind; S[1 - s].what = S[s].what; S[1 - s].epoch = S[s].epoch; \
     S[1 - s].beat = S[s].beat; S[1 - s].beatEpoch = S[s].beatEpoch \
  :: else fi
#endif

/* ---------------------------------------------------------------- the process that has a memory */

byte commands = 0;          /* where its commands go */
byte ear = 0;               /* where its subscription is */
byte earRun = 0;            /* the run that it listens to (InvalidationBus) */
bool listening = true;      /* whether it thinks that messages arrive */

typedef Progress {
  byte since;               /* how long ago it began, up to TTL */
  bool doubted;             /* whether trust has begun anew since */
  byte floor;               /* what it must find, when it reads by id */
  byte waitsFor;            /* the reading that it has joined; 0 for none */
  byte brought              /* what that brought */
}
Progress R[READINGS + 1];

/* TrustedMemory */
bool held = false;
byte heldVersion = 0;
byte heldSince = 0;
bool heldDoubted = false;
/* Flights */
byte flight = 0;
/* PageMemory: under which version a page was kept, and with which body. Version n is n + 1 here, 0 is no page. */
byte pageNamed = 0;
byte pageBody = 0;
/* Trust */
byte heard = TTL;
byte heardEpoch = 0;

#define KEYS 1
#define ECHO 2
/* What Redis has for its subscription, in order: word of a change, and who waits for an answer to it; or an echo, its age and epoch. */
chan ears = [EARS] of { byte, byte, byte };

#define covers(since, doubted) (listening && !doubted && (since < TTL || heard < TTL))

byte i;                     /* counts, and is 0 between steps */

inline doubt() {
  for (i : 1 .. HERE + LISTS) { R[i].doubted = true }
  i = 0;
  heldDoubted = held
}

inline forget() {
  held = false; heldVersion = 0; heldSince = 0; heldDoubted = false;
  flight = 0
}

/* ---------------------------------------------------------------- what is promised */

/* Whether Redis has given the subscription up and the process has not noticed: README grants it TTL. */
#define unheard (listening && ear == NOBODY)
#define mustFind(here) (here && unheard -> newer(timely, longPromised) : newer(timely, promised))
#define newer(a, b) (a > b -> a : b)

#if SERVERS == 1
#define judged true
#else
/* One Redis at a time (CAVEATS): who talks to another than the primary, and what it learned there, is not judged. */
byte apart = 0;
#define judged (apart == 0)
#endif

/* ---------------------------------------------------------------- what was recorded */

/* With RECORDED, a process that was generated from a history says when a reading may begin and a write be sent, which is before they do,
   and when they were over, which is after; and time passes when it did. Readings above GUIDED are anybody's, whom nobody watched. */
#ifdef RECORDED
byte mayBegin[READINGS + 1]; /* 1 by id, 2 by list */
byte ended[READINGS + 1];    /* one more than the version that was found */
byte mayCommit = 0;          /* the newest version that may be committed */
bool mayTell[WRITES + 1];    /* whether its writer may be told */
#define guided(me) (me <= GUIDED)
#define mayWrite (mayCommit > row)
#define finish(version) mayTell[version] = true
#else
#define mayWrite true
#define finish(version) skip
#endif

/* ---------------------------------------------------------------- commands of Redis */

inline unlink(s) {
#ifndef WITHOUT_INVALIDATION
  S[s].kind = EMPTY; S[s].what = 0; S[s].epoch = 0;
  replicate(s)
#else
  skip
#endif
}

#if SERVERS == 1
#define arrivesFrom(s) (ear == s)
#else
#define arrivesFrom(s) (up(ear) && (ear == s || (s == primary && follows && linked)))
#endif

inline publish(from, word, first, second) {
  if
  :: arrivesFrom(from) -> ears ! word, first, second
  :: else
  fi
}

/* ---------------------------------------------------------------- readings (body-reader, entity-cache, read-through, lease) */

#define at (here -> commands : primary)

/* What a body in Redis has to be. */
#ifdef WITHOUT_EPOCH_CHECK
#define vouchedFor (S[at].beat > 0)
#else
#define vouchedFor (S[at].beat > 0 && S[at].epoch == S[at].beatEpoch)
#endif
#ifdef WITHOUT_VERSION_CHECK
#define fits vouchedFor
#else
#define fits ((byList && S[at].what == wanted) || (!byList && vouchedFor))
#endif
#ifdef WITHOUT_PAGE_VERSIONS
#define samePage (pageNamed != 0)
#else
#define samePage (pageNamed == wanted + 1)
#endif

inline take() {
  if
  :: S[at].kind == BODY && fits -> version = S[at].what; got = true
  :: S[at].kind == BODY && !fits -> unfit = true
  :: else
  fi
}

inline mget() {
  if
  :: up(at) -> epoch = beating(at); reached = true; take()
  :: skip                                   /* Redis does not answer in time */
  fi
}

inline lease() {
  if
#ifdef WITHOUT_LEASE
  :: true -> leased = true
#else
  :: takesWrites(at) && (unfit || S[at].kind == EMPTY) ->
     S[at].kind = LEASE; S[at].what = me; S[at].epoch = 0; replicate(at); leased = true; printf("reading %d has the lease\n", me)
#endif
  :: else
  fi
}

inline fill() {
  if
#if defined(WITHOUT_LEASE) || defined(WITHOUT_COMPARISON)
  :: takesWrites(at) ->
#else
  :: takesWrites(at) && S[at].kind == LEASE && S[at].what == me ->
#endif
     S[at].kind = BODY; S[at].what = version; S[at].epoch = epoch; replicate(at); printf("reading %d fills with %d\n", me, version)
  :: else
  fi
}

inline land() {
  if
  :: here && flight == me ->
     held = true; heldVersion = version; heldSince = R[me].since; heldDoubted = R[me].doubted; flight = 0
  :: else
  fi;
  if
  :: here -> for (i : 1 .. READINGS) {
       if
       :: R[i].waitsFor == me -> R[i].waitsFor = 0; R[i].brought = version; printf("reading %d is joined by %d\n", me, i)
       :: else
       fi
     }
     i = 0
  :: else
  fi
}

inline answer(what) {
  printf("reading %d finds version %d and must find %d\n", me, what, R[me].floor);
#ifdef RECORDED
  if :: guided(me) -> ended[me] = what + 1 :: else fi
#else
  assert(what >= R[me].floor)
#endif
}

/* Whoever asks with the token of a reading that is over gets nothing: tokens are never used twice. */
inline retire(s) {
  if
  :: S[s].kind == LEASE && S[s].what == me -> S[s].what = READINGS + 1
  :: else
  fi
}

proctype Reading(byte me; bool byList; bool here) {
  byte wanted, version, epoch;
  bool reached, got, unfit, leased;
begin:
#ifdef RECORDED
  atomic {
    if
    :: guided(me) -> mayBegin[me] != 0 && ended[me] == 0; byList = (mayBegin[me] == 2); mayBegin[me] = 0
    :: !guided(me) -> byList = false
    fi
  };
#endif
  if
  :: atomic { byList ->
       wanted = row; R[me].floor = row; R[me].since = 0; R[me].doubted = false;
       printf("reading %d: a list names version %d\n", me, wanted)
     }
#ifdef BRINGS
     goto brought
#endif
  :: atomic { !byList ->
       R[me].floor = (judged -> mustFind(here) : 0); R[me].since = (here -> 0 : TTL); R[me].doubted = false;
       if
       :: here && held && covers(heldSince, heldDoubted) -> answer(heldVersion); goto over
       :: else
       fi;
       if
       :: here && flight != 0 && covers(R[flight].since, R[flight].doubted) -> R[me].waitsFor = flight; goto joined
       :: else
       fi;
       printf("reading %d by id begins and must find %d\n", me, R[me].floor);
       goto look
     }
  fi;
  atomic {
    if
    :: samePage -> answer(pageBody - 1); goto over
    :: !samePage && held && heldVersion == wanted -> version = wanted; goto landed
#ifdef WITHOUT_VERSION_CHECK
    :: !samePage && held && heldVersion != wanted && covers(heldSince, heldDoubted) -> answer(heldVersion); goto over
#endif
    :: else
    fi;
    if
    :: flight != 0 -> R[me].waitsFor = flight; goto joined
    :: else
    fi;
look:
    if
    :: here -> flight = me
    :: else
    fi;
    mget();
    if
    :: got -> if :: here -> goto landing :: else -> goto landed fi
    :: !got && (!reached || (!byList && epoch == 0)) -> goto selecting
    :: else
    fi
  };
leasing:
  atomic { lease(); if :: leased -> goto selecting :: else fi };
  atomic { unfit = false; if :: up(at) -> skip :: skip fi; if :: up(at) -> take() :: else fi; if :: got -> if :: here -> goto landing :: else -> goto landed fi :: else fi };
selecting:
  atomic { version = row; printf("reading %d: SELECT finds %d\n", me, version); if :: !leased -> if :: here -> goto landing :: else -> goto landed fi :: else fi };
  atomic { fill(); if :: here -> goto landing :: else -> goto landed fi };
landing:
  atomic {
    land();
landed:
    answer(version);
    if
    :: byList && here && version == wanted -> pageNamed = wanted + 1; pageBody = version + 1
    :: else
    fi;
    goto over
  };
joined:
  atomic {
    R[me].waitsFor == 0 -> version = R[me].brought; R[me].brought = 0;
    if
    :: byList && version != wanted -> version = 0
    :: else -> goto landed
    fi
  };
  /* Reads again, by itself: nobody joins that, and memory does not keep it. */
  atomic {
    mget();
    if
    :: got -> if :: here -> goto landing :: else -> goto landed fi
    :: !got && !reached -> goto selecting
    :: else -> goto leasing
    fi
  };
#ifdef BRINGS
  /* The list brings the row along. No lease and no flight began before it, so that nobody may believe it by id. */
brought:
  atomic {
    version = wanted; answer(version); printf("reading %d: a list has brought version %d\n", me, version);
    epoch = 0;
#ifdef WITHOUT_DOUBT_OF_LISTS
    held = true; heldVersion = version; heldSince = R[me].since; heldDoubted = R[me].doubted; epoch = beating(at);
#else
    if
    :: !held || heldVersion != version -> held = true; heldVersion = version; heldSince = TTL; heldDoubted = true
    :: else
    fi;
#endif
    pageNamed = wanted + 1; pageBody = version + 1
  };
  atomic {
    if
    :: takesWrites(at) && S[at].kind == EMPTY ->
       S[at].kind = BODY; S[at].what = version; S[at].epoch = epoch; replicate(at); printf("reading %d adds %d\n", me, version)
    :: true
    fi
  };
#endif
over:
  atomic {
    retire(0);
#if SERVERS == 2
    retire(1);
#endif
    wanted = 0; version = 0; epoch = 0; reached = false; got = false; unfit = false; leased = false;
    R[me].floor = 0; R[me].since = TTL; R[me].doubted = true;
    goto begin
  }
}

/* ---------------------------------------------------------------- writers (entity-writer, invalidation-bus) */

#ifndef WRITERS
#define WRITERS 1
#endif
typedef Wait { byte left; byte waited }
Wait W[WRITES + 1];         /* how many processes the writer of a version waits for, and for how long it has, up to TTL */

/* By API; psql, or a process that dies, does no more than commit, or stops somewhere on the way. */
proctype Writer() {
  byte mine;
  do
  :: atomic { written < WRITES && mayWrite -> written++; row++; mine = row; age[row] = 0; printf("version %d is committed\n", row) };
     if
     :: mine = 0                             /* it is over, or dies */
#ifndef PSQL_ONLY
     :: atomic { unlink(primary); printf("its writer: UNLINK\n") };
#if MEMORY
        atomic {
          if
          :: nfull(ears) -> W[mine].left = (arrivesFrom(primary) -> 1 : 0); W[mine].waited = 0; publish(primary, KEYS, mine, 0)
          :: skip -> mine = 0                 /* Redis fails, or it dies: nobody was promised anything */
          fi
        };
#endif
        atomic {
          mine == 0 || W[mine].left == 0 || W[mine].waited == TTL;
          if
          :: mine != 0 -> printf("the writer of %d is answered\n", mine); tell(mine); finish(mine); promised = newer(promised, mine)
          :: else
          fi;
          W[mine].left = 0; W[mine].waited = 0; mine = 0
        }
#endif
     fi
  od
}

/* ---------------------------------------------------------------- drainers (drainer, heartbeat) */

#ifndef DRAINERS
#define DRAINERS 1
#endif
#define IDLE 0
#define SENT 1
#define BACK 2

typedef Beat {
  byte state;               /* nothing, a heartbeat on its way to Redis, or its answer on the way back */
  byte left;                /* until its deadline */
#ifdef WITHOUT_DEADLINE
  byte span;                /* the same when it was sent */
#endif
  byte asOf;                /* how old what it says is, up to TTL */
  byte server;
  byte epoch;               /* the epoch that was known when it was sent, or met */
  byte met                  /* the epoch that was met last */
}
Beat B[DRAINERS];
#ifdef WITHOUT_DEADLINE
#define keepSpan(n) B[n].span = B[n].left
#define dropSpan(n) B[n].span = 0
#else
#define keepSpan(n) skip
#define dropSpan(n) skip
#endif

/* Takes changes out of the outbox for all processes of the domain. */
proctype Drainer(bool here) {
#ifdef WITHOUT_OUTBOX
  /* What waits is not looked at: everything seems to be drained all the time. */
  skip
#else
again:
  do
  :: atomic { !draining ->
       if
       :: row == position -> positionAge = 0; goto again
       :: else
       fi;
#ifdef PROMPT_DRAINS
       nfull(ears); unlink(primary); publish(primary, KEYS, 0, 0); position = row; positionAge = 0; printf("the outbox is drained up to %d\n", position); goto again
#else
       draining = true; taken = row; snapshotAge = 0
#endif
     };
     atomic { if :: here -> forget() :: else fi; unlink(primary) };
     atomic { nfull(ears); publish(primary, KEYS, 0, 0) };
     atomic {
       if
       :: position = taken; positionAge = snapshotAge; printf("the outbox is drained up to %d\n", position)
       :: skip                                /* Redis failed or the process died: the next one begins at the old position */
       fi;
       draining = false; taken = 0; snapshotAge = 0
     };
  od
#endif
}

inline rest(n) {
  B[n].state = IDLE; B[n].left = 0; dropSpan(n); B[n].asOf = 0; B[n].server = 0; B[n].epoch = 0
}

/* Vouches for what is cached, as of the position. */
proctype Voucher(byte me; bool here) {
  do
  :: atomic { B[me].state == IDLE && up(at) && FRESH > positionAge ->
       B[me].state = SENT; B[me].left = FRESH - positionAge; keepSpan(me);
       B[me].asOf = (here && positionAge < TTL -> positionAge : TTL); B[me].server = at; B[me].epoch = B[me].met;
#ifndef LATE_BEATS
       goto arrives
#endif
     }
  :: atomic { B[me].state == SENT ->
arrives:
       if
#ifdef WITHOUT_DEADLINE
       :: takesWrites(B[me].server) -> S[B[me].server].beat = B[me].span; S[B[me].server].beatEpoch = epochOf(B[me].server);
#else
       :: takesWrites(B[me].server) && B[me].epoch != epochOf(B[me].server) ->
          B[me].epoch = epochOf(B[me].server); B[me].met = B[me].epoch; goto again
       :: takesWrites(B[me].server) && B[me].epoch == epochOf(B[me].server) && B[me].left > 0 ->
          S[B[me].server].beat = B[me].left; S[B[me].server].beatEpoch = B[me].epoch;
#endif
          printf("heartbeat of %d, for %d\n", S[B[me].server].beatEpoch, S[B[me].server].beat);
          replicate(B[me].server); B[me].epoch = epochOf(B[me].server);
#ifdef WITHOUT_WAY_BACK
          if :: here && heardEpoch != 0 -> heard = B[me].asOf :: else fi;
#endif
          B[me].state = (here -> BACK : IDLE)
       :: skip -> B[me].state = IDLE         /* it is lost on its way, or came too late */
       fi;
       if
       :: B[me].state == IDLE -> rest(me)
       :: else -> B[me].left = 0; dropSpan(me)
       fi;
again: skip
     }
  :: atomic { B[me].state == BACK && nfull(ears) ->
       if
       :: up(at) && at == B[me].server -> publish(B[me].server, ECHO, B[me].asOf, B[me].epoch)
       :: skip
       fi;
       rest(me)
     }
  od
}

/* ---------------------------------------------------------------- what a process is told (invalidation-bus, trust) */

proctype Ear() {
  byte kind, x, y;
  do
  :: atomic { ears ? kind, x, y ->
       if
       :: kind == KEYS -> printf("it hears of a change\n");
#ifndef WITHOUT_BUS
          forget();
#endif
          if :: x != 0 -> W[x].left = 0 :: else fi
#ifdef WITHOUT_RUN_OF_ECHO
       :: kind == ECHO ->
#else
       :: kind == ECHO && runOf(y) == earRun ->
#endif
#if !defined(WITHOUT_EPOCH_OF_ECHO) && !defined(WITHOUT_HISTORY_OF_ECHO)
          if :: y != heardEpoch -> doubt() :: else fi;
#endif
          heardEpoch = y; printf("it hears its echo of epoch %d\n", y);
#ifdef WITHOUT_TIME_OF_ECHO
          heard = 0
#else
          heard = x
#endif
       :: else
       fi;
       kind = 0; x = 0; y = 0
     }
  od
}

/* ---------------------------------------------------------------- time, and what goes wrong */

byte j, kind0, first0, second0; /* hold something within a step only */

inline tick() {
  printf("tick\n");
  for (j : 1 .. written) {
    older(age[j], LATE);
    if :: age[j] == LATE && j <= row -> timely = newer(timely, j) :: else fi;
    if :: told[j] > 0 && told[j] <= TTL -> told[j]++ :: else fi;
    if :: told[j] == TTL + 1 -> longPromised = newer(longPromised, j) :: else fi;
    if :: W[j].left > 0 -> older(W[j].waited, TTL) :: else fi
  }
#ifndef WITHOUT_OUTBOX
  older(positionAge, FRESH);
#endif
  if :: draining -> older(snapshotAge, FRESH) :: else fi;
  for (j : 0 .. SERVERS - 1) { later(S[j].beat); if :: S[j].beat == 0 -> S[j].beatEpoch = 0 :: else fi }
  for (j : 0 .. DRAINERS - 1) { later(B[j].left); if :: B[j].state != IDLE -> older(B[j].asOf, TTL) :: else fi }
  for (j : 1 .. READINGS) { older(R[j].since, TTL) }
  if :: held -> older(heldSince, TTL) :: else fi;
  older(heard, TTL);
  for (j : 1 .. len(ears)) {
    ears ? kind0, first0, second0;
    if :: kind0 == ECHO -> older(first0, TTL) :: else fi;
    ears ! kind0, first0, second0
  }
#if SERVERS == 1 && ERAS > 0
  later(saved.beat);
#endif
#if SERVERS == 2
  if :: commands == primary -> later(apart) :: else fi;
#endif
  j = 0; kind0 = 0; first0 = 0; second0 = 0
}

inline hangUp() {
  ear = NOBODY; earRun = 0;
  do :: len(ears) > 0 -> ears ? _, _, _ :: len(ears) == 0 -> break od;
  skip
}

#if SERVERS == 2
inline part() {
  if
  :: commands != primary -> apart = TTL; for (j : 1 .. READINGS) { if :: !(j > HERE && j <= HERE + LISTS) -> R[j].floor = 0 :: else fi };
     j = 0
  :: else
  fi
}
#endif

inline reconnected() {
#ifdef WITHOUT_DOUBT
  skip
#else
  doubt()
#endif
}

#if SERVERS == 1 && ERAS > 0
Server saved;

#define copy(to, from) to.kind = from.kind; to.what = from.what; to.epoch = from.epoch; to.beat = from.beat; to.beatEpoch = from.beatEpoch
#define wipe(s) s.kind = EMPTY; s.what = 0; s.epoch = 0; s.beat = 0; s.beatEpoch = 0
#endif

proctype World() {
  do
#ifndef RECORDED
  :: d_step { tick() }
#endif
#ifdef EVICTIONS
  :: d_step { S[primary].kind != EMPTY -> S[primary].kind = EMPTY; S[primary].what = 0; S[primary].epoch = 0; replicate(primary) }
  :: d_step { held -> held = false; heldVersion = 0; heldSince = 0; heldDoubted = false }
#endif
#ifdef LOSSES
  :: d_step { up(ear) -> hangUp() }
  :: d_step { !up(ear) && listening -> listening = false }
  :: d_step { !up(ear) && !listening -> ear = 0; earRun = S[0].life }
#if SERVERS == 2
  :: d_step { !up(ear) && !listening -> ear = 1; earRun = S[1].life }
#endif
  :: d_step { up(ear) && !listening -> listening = true; doubt() }
#endif
#if SERVERS == 1 && ERAS > 0
  :: d_step { copy(saved, S[0]); printf("Redis saves a snapshot\n") }
  :: atomic { eras < ERAS -> eras++;
       if
       :: copy(S[0], saved)
       :: wipe(S[0])
       fi;
       printf("Redis restarts\n"); S[0].life = eras; hangUp(); reconnected();
       for (j : 0 .. DRAINERS - 1) { rest(j) };
       j = 0
     }
#endif
#if ERAS > 0 && MEMORY
  :: d_step { !up(ear) -> ear = 0; earRun = S[0].life; listening = true; doubt(); printf("the ear is at 0\n") }
#if SERVERS == 2 && !defined(EAR_STAYS)
  :: d_step { !up(ear) -> ear = 1; earRun = S[1].life; listening = true; doubt(); printf("the ear is at 1\n") }
  :: d_step { up(ear) -> hangUp(); listening = false }
#endif
#endif
#if SERVERS == 2
  :: d_step { linked -> linked = false; printf("the standby is cut off\n") }
  :: d_step { follows && eras < ERAS ->
       eras++; primary = 1 - primary; S[primary].history = eras; follows = false; linked = false; part(); printf("%d becomes the primary\n", primary) }
  :: d_step { !linked -> follows = true; linked = true; S[1 - primary].history = S[primary].history; replicate(primary); printf("%d follows %d\n", 1 - primary, primary) }
#ifndef COMMANDS_STAY
  :: d_step { commands = 1 - commands; reconnected(); part(); printf("commands go to %d\n", commands) }
#endif
#endif
  od
}

init {
  atomic {
    age[0] = LATE;
#if SERVERS == 2
    S[1].life = 1;
#endif
    byte n;
    for (n : 0 .. DRAINERS - 1) { B[n].met = epochOf(0) }
    for (n : 1 .. READINGS) { R[n].since = TTL; R[n].doubted = true; run Reading(n, n > HERE && n <= HERE + LISTS, n <= HERE + LISTS) }
    for (n : 1 .. WRITERS) { run Writer() }
#if MEMORY
    run Ear();
#endif
    MACHINERY
#ifdef RECORDED
    run Recorded();
#endif
    run World()
  }
}
