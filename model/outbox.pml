/*
 * How each cache domain hears of each change, whatever other domains, open transactions and the cleaning of the outbox do.
 *
 * Some transactions change a row each. Row 0 is the one whose body is cached and read; the others matter because they commit before or
 * after. What a body goes through within a domain is in protocol.pml; here one reading at a time fills, under its lease, in domain 0.
 */

#ifndef BOUND
#define BOUND 3
#endif
#ifndef TTL
#define TTL 1
#endif
#define LATE (BOUND - 1)
#define FRESH (BOUND - TTL)
/* How long a domain is waited for that does not read: longer than anything that it vouched for can last. */
#define RETIRE BOUND
#define DOMAINS 2
#define TRANSACTIONS 2
#ifndef GENERATIONS
#define GENERATIONS 2       /* how often each domain may begin anew */
#endif

#define older(age, most) age = (age < most -> age + 1 : age)

/* ---------------------------------------------------------------- Postgres */

#define NOT_BEGUN 0
#define OPEN 1
#define COMMITTED 2

typedef Transaction { byte state; byte xid; bool logged }
Transaction T[TRANSACTIONS];
byte xids = 0;              /* given so far: they are given when a transaction first writes, not when it commits */
byte age = 0;               /* how long ago row 0 was committed, up to LATE */

/* A domain as the register has it. Its position is a snapshot: the set of transactions that it saw. */
typedef Domain {
  bool seen[TRANSACTIONS];
  byte positionAge;         /* up to RETIRE */
  byte generation;
  bool retired;
  bool draining;
  /* The domain's Redis. */
  bool lease;
  bool body;                /* a body of row 0 from before the change; newer ones are never stale */
  byte bodyGeneration;
  byte beat;                /* for how long the heartbeat is there yet */
  byte beatGeneration
}
Domain D[DOMAINS];

byte drainAge[DOMAINS];     /* how old the snapshot of a draining is */

byte i;                     /* counts, and is 0 between steps */

#ifdef WITHOUT_SNAPSHOT_POSITION
/* A cursor over numbers: everything up to the newest that is committed. */
#define inSnapshot(t) (T[t].state != NOT_BEGUN && T[t].xid <= newest)
#else
#define inSnapshot(t) (T[t].state == COMMITTED)
#endif

#define committedXid(t) (T[t].state == COMMITTED -> T[t].xid : 0)
#define max(a, b) (a > b -> a : b)

proctype Client(byte t) {
  T[t].state == NOT_BEGUN;
  atomic { xids++; T[t].xid = xids; T[t].state = OPEN; T[t].logged = true; printf("transaction %d writes, xid %d\n", t, xids) };
  atomic { T[t].state = COMMITTED; printf("transaction %d commits\n", t); if :: t == 0 -> age = 0 :: else fi }
}

/* In one transaction: locks the domain, takes a snapshot, reads what that shows and the position did not, tells Redis, moves the position. */
proctype Drainer(byte d) {
  byte generation;
#ifdef WITHOUT_SNAPSHOT_POSITION
  byte newest;
#endif
  bool shown[TRANSACTIONS];
  do
  :: atomic { !D[d].draining && !D[d].retired ->
       D[d].draining = true; generation = D[d].generation; drainAge[d] = 0;
#ifdef WITHOUT_SNAPSHOT_POSITION
       newest = max(committedXid(0), committedXid(1));
#endif
       for (i : 0 .. TRANSACTIONS - 1) { shown[i] = inSnapshot(i) };
       i = 0
     };
     atomic {
       if
       :: T[0].state == COMMITTED && T[0].logged && shown[0] && !D[d].seen[0] ->
          D[d].body = false; D[d].bodyGeneration = 0; D[d].lease = false; printf("domain %d is told\n", d)
       :: else
       fi
     };
     atomic {
       if
       :: D[d].generation == generation && !D[d].retired ->
          for (i : 0 .. TRANSACTIONS - 1) { D[d].seen[i] = shown[i] };
          D[d].positionAge = drainAge[d]
       :: skip                                /* rolled back */
       fi;
       D[d].draining = false; drainAge[d] = 0; generation = 0;
       for (i : 0 .. TRANSACTIONS - 1) { shown[i] = false };
       i = 0
     }
  od
}

/* The same for a domain whose Redis is not looked at. */
proctype Other(byte d) {
  do
  :: atomic { !D[d].retired ->
       for (i : 0 .. TRANSACTIONS - 1) { D[d].seen[i] = (T[i].state == COMMITTED) };
       i = 0; D[d].positionAge = 0
     }
  od
}

/* Vouches as of the position, whoever moved it. A domain that is retired begins anew. */
proctype Member(byte d) {
  do
  :: atomic { d == 0 && !D[d].retired && D[d].positionAge < FRESH ->
       D[d].beat = FRESH - D[d].positionAge; D[d].beatGeneration = D[d].generation }
  :: atomic { D[d].retired && D[d].generation < GENERATIONS ->
#ifndef WITHOUT_GENERATION
       D[d].generation++;
#endif
       for (i : 0 .. TRANSACTIONS - 1) { D[d].seen[i] = (T[i].state == COMMITTED) };
       i = 0;
       D[d].retired = false; D[d].positionAge = 0; printf("domain %d begins anew\n", d)
     }
  od
}

#define readBy(d, t) (D[d].retired || D[d].seen[t])
#ifdef WITHOUT_EVERY_DOMAIN
#define read(t) (readBy(0, t) || readBy(1, t))
#else
#define read(t) (readBy(0, t) && readBy(1, t))
#endif

/* Removes what every domain has read, and retires who does not read. */
proctype Cleaner() {
  do
  :: atomic { T[0].state == COMMITTED && T[0].logged && read(0) -> T[0].logged = false; printf("row 0 leaves the outbox\n") }
  :: atomic { !D[0].retired && D[0].positionAge == RETIRE -> D[0].retired = true; printf("domain 0 is retired\n") }
  :: atomic { !D[1].retired && D[1].positionAge == RETIRE -> D[1].retired = true; printf("domain 1 is retired\n") }
  od
}
/* Reads row 0 and fills. */
proctype Reader(byte d) {
  byte epoch;
  bool old;
  do
  :: atomic { D[d].beat > 0 -> epoch = D[d].beatGeneration; D[d].lease = true };
     atomic { old = (T[0].state != COMMITTED) };
     atomic {
       if
       :: D[d].lease && old -> D[d].body = true; D[d].bodyGeneration = epoch
       :: D[d].lease && !old -> D[d].body = false; D[d].bodyGeneration = 0
       :: else
       fi;
       D[d].lease = false; epoch = 0; old = false
     }
  :: atomic { D[d].body && D[d].beat > 0 && D[d].bodyGeneration == D[d].beatGeneration ->
       assert(T[0].state != COMMITTED || age < LATE) }
  od
}

proctype World() {
  do
  :: d_step {
       if :: T[0].state == COMMITTED -> older(age, LATE) :: else fi;
       for (i : 0 .. DOMAINS - 1) {
         older(D[i].positionAge, RETIRE);
         if :: D[i].draining -> older(drainAge[i], RETIRE) :: else fi;
         D[i].beat = (D[i].beat > 0 -> D[i].beat - 1 : 0);
         if :: D[i].beat == 0 -> D[i].beatGeneration = 0 :: else fi
       };
       i = 0
     }
  od
}

init {
  atomic {
    byte n;
    for (n : 0 .. TRANSACTIONS - 1) { run Client(n) };
    for (n : 0 .. DOMAINS - 1) {
      D[n].generation = 1; D[n].positionAge = RETIRE;
      run Member(n)
    };
    n = 0;
    run Drainer(0);
    run Other(1);
    run Reader(0);
    run Cleaner();
    run World()
  }
}
