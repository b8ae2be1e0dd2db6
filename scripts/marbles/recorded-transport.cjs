// `marbleTransport`, whose observables also say to the recorder what their letters stand for.
const { join } = require('node:path');

const sources = join(__dirname, '..', '..', 'src');
const { marbleTransport } = require(join(sources, 'testing', 'marble-transport.ts'));

exports.marbleTransport = (helpers, answers) => {
  const transport = marbleTransport(helpers, answers);
  transport.connections.forEach(({ response, body }, index) => {
    const { status = 200, headers = {}, frames = {} } = answers[index];
    response.meaningOf = () => ({ status, headers });
    body.meaningOf = (letter) => frames[letter] ?? letter;
  });
  return transport;
};
