/** The globals of a page that knows nothing of Node, whose `fetch` is answered at once. */
export function pageBefore(answer) {
  const requests = [];
  const page = {
    fetch: async (url) => {
      requests.push(url);
      return answer(url);
    },
    ...{ AbortController, TextDecoder, TextEncoder, URL, URLSearchParams },
    ...{ setTimeout, clearTimeout, setInterval, clearInterval },
  };
  page.self = page;
  return { page, requests };
}
