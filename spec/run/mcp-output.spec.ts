import { mcpOutput } from '../../src/run/mcp-output.js';

const output = (...content: readonly unknown[]) => mcpOutput({ content });

describe('mcpOutput', () => {
  it('joins texts, a line each', () => {
    expect(output({ type: 'text', text: 'one' }, { type: 'text', text: 'two' })).toBe('one\ntwo');
  });

  it('gives parts where an image is among the texts, as a data URL', () => {
    expect(
      output({ type: 'text', text: 'A cat.' }, { type: 'image', mimeType: 'image/png', data: 'iVBO' }),
    ).toEqual([
      { type: 'input_text', text: 'A cat.' },
      { type: 'input_image', image_url: 'data:image/png;base64,iVBO' },
    ]);
  });

  it.each<[unknown, unknown, string]>([
    [undefined, undefined, '[Image that cannot be shown]'],
    ['text/html', 'iVBO', '[Image (text/html) that cannot be shown]'],
    ['image png', 'iVBO', '[Image that cannot be shown]'],
    ['image/png', '', '[Image (image/png) that cannot be shown]'],
    ['image/png', 5, '[Image (image/png) that cannot be shown]'],
    ['image/png', '<svg>', '[Image (image/png) that cannot be shown]'],
  ])('says of an image of type %j with the data %j that it is none', (mimeType, data, said) => {
    expect(output({ type: 'image', mimeType, data })).toBe(said);
    expect(output({ type: 'resource', resource: { uri: 'x://a', mimeType: 'image/png', blob: '<' } })).toBe(
      '[Image (image/png) that cannot be shown]',
    );
    expect(output({ type: 'resource', resource: { uri: 'x://a', mimeType: 'a/b', blob: 7 } })).toBe(
      '[File (a/b) that cannot be shown]',
    );
  });

  it('takes data that is broken into lines, and a media type with parameters', () => {
    const data = { mimeType: 'image/png; x=y', data: 'iVBO\r\nRw==\n' };
    expect(output({ type: 'image', ...data })).toEqual([
      { type: 'input_image', image_url: 'data:image/png;base64,iVBORw==' },
    ]);
  });

  it('says of audio what it is', () => {
    expect(output({ type: 'audio', mimeType: 'audio/wav', data: 'UklG' })).toBe(
      '[Audio (audio/wav) that cannot be shown]',
    );
  });

  it('gives the text of a resource, its image, or its bytes as a file', () => {
    expect(output({ type: 'resource', resource: { uri: 'file:///a.txt', text: 'Text' } })).toBe('Text');
    expect(
      output(
        { type: 'resource', resource: { uri: 'x://c.png', mimeType: 'image/png', blob: 'iVBO' } },
        { type: 'resource', resource: { uri: 'x://dir/b.pdf', mimeType: 'application/pdf', blob: 'JVBE' } },
        { type: 'resource', resource: { uri: 'x://dir/', blob: 'AAAA' } },
      ),
    ).toEqual([
      { type: 'input_image', image_url: 'data:image/png;base64,iVBO' },
      { type: 'input_file', file_data: 'data:application/pdf;base64,JVBE', filename: 'b.pdf' },
      { type: 'input_file', file_data: 'data:application/octet-stream;base64,AAAA' },
    ]);
  });

  it('gives a link to a resource as its name, address and description', () => {
    expect(
      output({ type: 'resource_link', name: 'main.rs', uri: 'file:///main.rs', description: 'Entry' }),
    ).toBe('main.rs\nfile:///main.rs\nEntry');
  });

  it('gives a block of an unknown type as JSON', () => {
    expect(output({ type: 'smell', of: 'roses' })).toBe('{"type":"smell","of":"roses"}');
  });

  it('gives structured content where there is no other', () => {
    expect(mcpOutput({ content: [], structuredContent: { celsius: 24 } })).toBe('{"celsius":24}');
    expect(mcpOutput({ toolResult: 'old' })).toBe('"old"');
    expect(
      mcpOutput({ content: [{ type: 'text', text: '24 °C' }], structuredContent: { celsius: 24 } }),
    ).toBe('24 °C');
  });

  it('gives an empty text where there is nothing', () => {
    expect(mcpOutput({ content: [] })).toBe('');
    expect(mcpOutput({})).toBe('');
  });

  it('fails with the server’s text where the tool failed', () => {
    expect(() =>
      mcpOutput({
        isError: true,
        content: [
          { type: 'text', text: 'No such city.' },
          { type: 'image', mimeType: 'image/png', data: 'iVBO' },
          { type: 'text', text: 'Try Bern.' },
        ],
      }),
    ).toThrow(new Error('No such city.\nTry Bern.'));
  });

  it('fails where there is no result, and passes over what is no block', () => {
    expect(() => mcpOutput(null)).toThrow('The MCP server gave no result.');
    expect(output(null, 'x', { type: 'text', text: 'ok' }, { type: 'text', text: 7 })).toBe('ok\n');
    expect(output({ type: 'resource' })).toBe('');
  });
});
