/*
 * Two databases behind one Redis: the live one and a copy of it, such as a restored backup that was started beside it (membership,
 * heartbeat). Both have the row of the cache domain. Neither may serve what the other has put into Redis.
 *
 * A token is in the row and in Redis. It is turned over again and again, in the row first, and what Redis holds must be the row's token or
 * the one before. Each token has a number that no other has. A body tells who filled it; that it has the version that a list of the other
 * database names is taken for granted, since both count on from the same transaction.
 */

#define LIVE 0
#define COPY 1
/* Tokens that there are in all. */
#ifndef TOKENS
#define TOKENS 5
#endif
/* Processes on the live database; one is on the copy. */
#ifndef LIVES
#define LIVES 1
#endif
#define PROCESSES (LIVES + 1)
#define on(me) (me < LIVES -> LIVE : COPY)

/* ---------------------------------------------------------------- Postgres */

typedef Row { byte token; byte previous }
Row D[2];
byte tokens = 1;            /* given so far */
bool copied = false;
bool turnedSince = false;   /* a process on the live one has had the time to turn the token over, and to tell Redis, since it was copied */

/* ---------------------------------------------------------------- Redis */

#define SHARED 1            /* filled before there was a copy */
#define BY_LIVE 2
#define BY_COPY 3

byte mark = 1;              /* the token; 0 when it was emptied */
byte body = 0;
byte lease = 0;             /* one more than whose */

/* ---------------------------------------------------------------- processes */

typedef Process {
  bool admitted;
  bool looked               /* whether it was accepted since the other database took Redis: it finds that out in its next round */
}
Process P[PROCESSES];

byte i;                     /* counts, and is 0 between steps */

/* The copy was started before the live one had turned its token over (CAVEATS): only what the live one reads is judged. */
#ifdef QUICK_COPY
#define mayBegin copied
#define wrong(me) (on(me) == LIVE && body == BY_COPY)
#else
#define mayBegin (copied && turnedSince)
#define wrong(me) ((on(me) == LIVE && body == BY_COPY) || (on(me) == COPY && body == BY_LIVE))
#endif

inline turn() {
  if
  :: D[on(me)].token == seen && tokens < TOKENS -> tokens++; D[on(me)].previous = seen; D[on(me)].token = tokens;
     printf("%d turns the token over to %d\n", me, tokens)
  :: else
  fi
}

/* It belongs to the domain from now on, and whoever is on the other database has not looked since. */
inline admit() {
  if
  :: !P[me].admitted -> P[me].admitted = true; printf("%d is admitted\n", me);
     for (i : 0 .. PROCESSES - 1) { P[i].looked = (P[i].looked && (on(i) == on(me))) };
     i = 0
  :: else
  fi
}

proctype Member(byte me) {
  byte seen, before, doubted;
  bool accepted, due, refused;
start:
  /* It starts, or was ended and starts anew. */
  atomic { me < LIVES || mayBegin ->
    P[me].admitted = false; P[me].looked = false; doubted = 0; refused = false; due = false; accepted = false;
#ifdef WITHOUT_ADMISSION
    P[me].admitted = true; P[me].looked = true
#endif
  };
  do
  :: atomic { seen = D[on(me)].token; before = D[on(me)].previous;
       if :: !P[me].admitted && doubted == 0 -> doubted = seen :: else fi };
     /* The script. */
     atomic {
       if
       :: mark == 0 && refused -> accepted = false; goto claim
#ifdef WITHOUT_TOKEN
       :: mark != 0 ->
#else
       :: (mark == 0 && !refused) || mark == seen || (before != 0 && mark == before) ->
#endif
          mark = seen; accepted = true;
          if :: due && me < LIVES -> turnedSince = copied :: else fi;
          due = false; P[me].looked = true
       :: else -> accepted = false
       fi
     };
     if
     :: atomic { accepted && P[me].admitted -> accepted = false;
          /* The token is turned over when it is time, and only when Redis is known to have it. */
          if
          :: tokens < TOKENS ->
             due = (copied && D[on(me)].token == seen);
#ifndef WITHOUT_TURN
             turn()
#endif
          :: skip
          fi
        }
#ifdef WITHOUT_FIRST_TURN
     :: atomic { accepted && !P[me].admitted -> accepted = false; doubted = 0; refused = false; admit() }
#else
     :: atomic { accepted && !P[me].admitted && seen != doubted -> accepted = false; doubted = 0; refused = false; admit() }
     :: atomic { accepted && !P[me].admitted && seen == doubted -> accepted = false; turn() }
#endif
     :: atomic { !accepted ->
          /* Whoever was too late looks again; who has not what Redis has is refused. */
          if
          :: mark == D[on(me)].token || mark == D[on(me)].previous || mark == 0
          :: else -> P[me].admitted = false; refused = true; doubted = 0; printf("%d is refused\n", me)
          fi
        }
     fi;
     goto next;
claim:
     /* It registers a domain of its own, which no copy has. */
     atomic {
       if
       :: mark == 0 && tokens < TOKENS -> tokens++; D[on(me)].token = tokens; D[on(me)].previous = 0; refused = false; doubted = 99;
          printf("%d registers a domain, with token %d\n", me, tokens)
       :: else
       fi
     };
next:
     seen = 0; before = 0
  :: goto start
  od
}

/* Reads, by a connection of its own. */
proctype Reader(byte me) {
  do
  :: atomic { P[me].admitted && body != 0 ->
       printf("%d finds what %d has filled\n", me, body); assert(!(P[me].looked && wrong(me))) }
  :: atomic { P[me].admitted && body == 0 && lease == 0 -> lease = me + 1 };
     if
     :: atomic { lease == me + 1 -> lease = 0;
          body = (on(me) == COPY -> BY_COPY : (copied -> BY_LIVE : SHARED)); printf("%d fills\n", me) }
     :: lease != me + 1
     fi
  od
}

proctype World() {
  do
  :: atomic { !copied -> copied = true; D[COPY].token = D[LIVE].token; D[COPY].previous = D[LIVE].previous; printf("the database is copied\n") }
  :: atomic { body != 0 || lease != 0 -> body = 0; lease = 0 }
#ifdef EMPTIED
  :: atomic { mark != 0 -> mark = 0; body = 0; lease = 0; printf("Redis is emptied\n") }
#endif
  od
}

init {
  atomic {
    byte n;
    D[LIVE].token = 1;
    for (n : 0 .. PROCESSES - 1) { run Member(n); run Reader(n) };
    n = 0;
    run World()
  }
}
