/** What an `Intl.Segmenter` has, so that the types need no newer library. */
export interface SegmenterLike {
  segment(text: string): Iterable<{ readonly segment: string; readonly isWordLike?: boolean | undefined }>;
}

/** How a text is cut: by a name, by an `Intl.Segmenter`, or by a function that gives the pieces in order. */
export type TextSegmenter = 'word' | 'grapheme' | SegmenterLike | ((text: string) => Iterable<string>);

/**
 * Where the segments of a text end, the last one's end aside. Pieces are taken by their length, so no
 * segmenter loses or changes text.
 */
export function segmentEnds(
  segmenter: TextSegmenter,
  locale?: string | readonly string[],
): (text: string) => number[] {
  const cut = cutterOf(segmenter, locale);
  return (text) => {
    const ends: number[] = [];
    let end = 0;
    let hasWord = false;
    let isBlank = true;
    for (const each of cut(text)) {
      const { segment, isWordLike } = typeof each === 'string' ? { segment: each } : each;
      const isSpace = isWordLike === false && segment.trim() === '';
      // White space before a word belongs to it, and what follows it up to the next white space.
      const begins = isWordLike === undefined || (isWordLike ? hasWord : isSpace && !isBlank);
      if (begins && end > (ends.at(-1) ?? 0)) {
        ends.push(end);
        hasWord = false;
        isBlank = true;
      }
      end += segment.length;
      if (end >= text.length) break;
      hasWord ||= isWordLike === true;
      isBlank &&= isSpace;
    }
    return ends;
  };
}

function cutterOf(segmenter: TextSegmenter, locale?: string | readonly string[]) {
  if (typeof segmenter === 'function') return segmenter;
  if (typeof segmenter === 'object') return (text: string) => segmenter.segment(text);
  // Older browsers and some engines for mobile apps have none.
  if (typeof Intl === 'object' && 'Segmenter' in Intl) {
    const platform: SegmenterLike = new Intl.Segmenter(locale, { granularity: segmenter });
    return (text: string) => platform.segment(text);
  }
  // Sticky: each match begins where the last one ended.
  const pieces = segmenter === 'word' ? /\s*(?:\p{Ideographic}|[^\s\p{Ideographic}]+)?/guy : /./gsuy;
  return (text: string) => text.match(pieces) ?? [];
}
