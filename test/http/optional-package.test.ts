import { t } from 'tap';
import { needPackages } from '../../src/http/optional-package.ts';

t.test('what is installed is enough, and what is not is named with what to run', async (t) => {
  t.doesNotThrow(() => needPackages('X=true', ['graphiql@3', '@opentelemetry/api@1.9', '@fastify/otel']));
  t.throws(() => needPackages('X=true', ['graphiql@3', '@nobody/nothing@1', 'no-such-package']), {
    name: 'WrongValue',
    message:
      'X=true needs packages that are not installed. Run: npm install graphiql@3 @nobody/nothing@1 no-such-package',
  });
});
