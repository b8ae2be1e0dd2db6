// This package with its default retry and idle timeout, the deltas concatenated by the subscriber.
import { textOf, turnOf } from '../library.mjs';

export default ({ baseUrl, onDelta }) => textOf(turnOf(baseUrl), onDelta);
