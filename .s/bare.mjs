import fastify from 'fastify'; import mercurius from 'mercurius';
const app=fastify(); app.register(mercurius,{schema:'type Query { a: Int }',resolvers:{},jit:3}); app.get('/healthz',async()=>({}));
if(process.env.HELMET){const h=(await import('@fastify/helmet')).default; app.register(h);}
await app.listen({port:Number(process.env.PORT)});
