/*
 * Whom a writer waits for: every process that listens, but for one that has not acknowledged again and again (acknowledgers, trust).
 *
 * One process has a memory, one body in it, and a subscription on which all comes in order. It hangs, or its subscription does, for any
 * time: that is when it takes no step. One writer commits, publishes, waits, and answers, again and again. Redis stands all the while; what
 * happens when it does not, and how bodies get into memory beside a commit, is in protocol.pml.
 */

/* MEMORY_TTL_MS, and for how long a process believes its memory without hearing that it hears (DEAF_MS). */
#ifndef TTL
#define TTL 2
#endif
#ifndef DEAF
#define DEAF 2
#endif
/* Misses in a row until it is told, and until it is given up. */
#define WARNING 2
#define SILENCES 3
#define QUEUE 3

#define older(age, most) age = (age < most -> age + 1 : age)

/* ---------------------------------------------------------------- the process */

bool listening = true;
bool held = true;
bool old = false;           /* the row was changed since the body was read */
bool promised = false;      /* and the writer was told that every process has forgotten it */
byte since = 0;             /* how long ago it was read, up to TTL */
byte heard = TTL;           /* how long ago what came back last as an echo was sent, up to TTL */
byte alive = DEAF;          /* how long ago the last ping was sent that was answered, up to DEAF */

#ifdef WITHOUT_PING_BOUND
#define covers (listening && (since < TTL || heard < TTL))
#else
#define covers (listening && (since < TTL || heard < TTL) && alive < DEAF)
#endif

/* What comes by the subscription, in order: word of a change, and that it has been given up; echoes and answers to pings, by age. */
#define KEYS 1
#define GIVEN_UP 2
#define ECHO 3
#define PONG 4
chan ears = [QUEUE] of { byte, byte };
byte echoAge = TTL;         /* of an echo on its way to Redis */
byte pingAge = DEAF;        /* of a ping on its way */
bool echoing = false;
bool pinging = false;

/* ---------------------------------------------------------------- the writer */

byte missed = 0;
bool told = false;          /* Redis has the word that it is given up */
byte toldAge = 0;           /* and has had it for so long, up to DEAF */
bool waiting = false;
bool acknowledged = false;
byte waited = 0;            /* for how long, up to TTL */
bool forNobody = false;     /* nobody listened when it was published: whoever may still do gets all the time */

#ifdef WITHOUT_WORD
#define givenUp (missed >= SILENCES)
#else
#define givenUp (missed >= SILENCES && told && toldAge >= DEAF)
#endif

inline hear() { missed = 0; told = false; toldAge = 0 }

inline forget() { held = false; old = false; promised = false; since = 0 }

proctype Process() {
  byte kind, age;
  do
  :: atomic { ears ? kind, age ->
       if
       :: kind == KEYS -> forget(); printf("it forgets\n");
          if :: waiting -> acknowledged = true :: else fi
       :: kind == GIVEN_UP -> printf("it hears that it is given up\n");
#ifdef WITHOUT_NEW_NAME
          forget()
#else
          listening = false; forget(); heard = TTL; alive = DEAF;
          do :: len(ears) > 0 -> ears ? _, _ :: len(ears) == 0 -> break od
#endif
       :: kind == ECHO -> heard = age
       :: kind == PONG ->
#ifdef WITHOUT_TIME_OF_PING
          alive = 0
#else
          alive = age
#endif
       fi;
       kind = 0; age = 0
     }
  /* It subscribes anew, which is answered as a ping is. */
  :: atomic { !listening -> listening = true; forget(); hear(); alive = 0; printf("it listens anew\n") }
  od
}

/* By other connections than the subscription. */
proctype Reader() {
  do
  :: atomic { held && covers -> printf("it reads what it holds\n"); assert(!promised) }
  :: atomic { !(held && covers) -> held = true; old = false; promised = false; since = 0; printf("it reads anew\n") }
  od
}

proctype Asker() {
  do
  :: atomic { listening && !echoing -> echoing = true; echoAge = 0 }
  :: atomic { echoing && nfull(ears) -> if :: listening -> ears ! ECHO, echoAge :: else fi; echoing = false; echoAge = TTL }
  :: atomic { listening && !pinging -> pinging = true; pingAge = 0 }
  :: atomic { pinging && nfull(ears) -> if :: listening -> ears ! PONG, pingAge :: else fi; pinging = false; pingAge = DEAF }
  od
}

proctype Writer() {
  do
  :: atomic { nfull(ears) -> old = held; promised = false; printf("a commit\n") };
     atomic { nfull(ears) ->
       acknowledged = false; waited = 0; waiting = true;
       forNobody = !listening;
       if :: listening -> ears ! KEYS, 0; printf("it is published\n") :: else fi
     };
     atomic { (!forNobody && (acknowledged || givenUp)) || waited == TTL ->
       waiting = false;
       if
       :: old -> promised = true
       :: else
       fi;
       printf("the writer is answered\n");
       if
       :: acknowledged -> hear()
       :: !acknowledged && !forNobody && missed < SILENCES -> missed++
       :: else
       fi;
       acknowledged = false; waited = 0; forNobody = false
     };
     if
     :: atomic { missed >= WARNING && !told && nfull(ears) ->
          if :: listening -> ears ! GIVEN_UP, 0; told = true; toldAge = 0; printf("it is told that it is given up\n") :: else fi }
     :: skip                                 /* Redis did not take it */
     fi
  od
}

byte j, kind0, age0;        /* hold something within a step only */

proctype World() {
  do
  :: d_step {
       if :: held -> older(since, TTL) :: else fi;
       older(heard, TTL); older(alive, DEAF); older(echoAge, TTL); older(pingAge, DEAF);
       if :: told -> older(toldAge, DEAF) :: else fi;
       if :: waiting -> older(waited, TTL) :: else fi;
       for (j : 1 .. len(ears)) {
         ears ? kind0, age0;
         if
         :: kind0 == ECHO -> older(age0, TTL)
         :: kind0 == PONG -> older(age0, DEAF)
         :: else
         fi;
         ears ! kind0, age0
       };
       j = 0; kind0 = 0; age0 = 0; printf("tick\n")
     }
  od
}

init {
  atomic { run Process(); run Reader(); run Asker(); run Writer(); run World() }
}
