import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { t } from 'tap';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';
import { needPackages } from '../../src/http/optional-package.ts';

t.test('what is installed is enough, and what is not is named with what to run', async (t) => {
  t.doesNotThrow(() => needPackages('X=true', ['graphiql@3', '@opentelemetry/api@1.9', '@fastify/otel']));
  t.throws(() => needPackages('X=true', ['graphiql@3', '@nobody/nothing@1', 'no-such-package']), {
    name: 'WrongValue',
    message:
      'X=true needs packages that are not installed. Run: npm install graphiql@3 @nobody/nothing@1 no-such-package',
  });
});

t.test('the image gets them and no development package', async (t) => {
  // npm would install all of these, or leave a package out that is one of them.
  const installs = /npm install --no-save --save-prod --omit=dev .*\$OPTIONAL_PACKAGES/;
  t.match(readFileSync(join(REPOSITORY, 'Dockerfile'), 'utf8'), installs);
});
