import { DOMParser, Element, Node } from '@xmldom/xmldom';

/** What a picture is drawn of (W3C, "Scalable Vector Graphics (SVG) 2"): nothing of it runs, moves or loads anything. */
const ELEMENTS = new Set(
  [
    'svg g defs title desc metadata symbol use clipPath mask marker pattern style',
    'path rect circle ellipse line polyline polygon text tspan textPath image',
    'linearGradient radialGradient stop filter feBlend feColorMatrix feComposite feFlood feGaussianBlur feMerge',
    'feMergeNode feOffset',
  ].flatMap((names) => names.split(' ')),
);

const SVG = 'http://www.w3.org/2000/svg';

/** Why a text is no picture as SVG that a page may show; nothing if it is one. */
export function svgFault(text: string): string | undefined {
  let root: Element | null;
  try {
    const onError = (_level: string, message: string) => {
      throw new Error(message);
    };
    root = new DOMParser({ onError }).parseFromString(text.replace(/^\uFEFF/, ''), 'text/xml').documentElement;
  } catch {
    return 'which is neither a PNG image nor well-formed SVG';
  }
  if (root?.localName !== 'svg' || root.namespaceURI !== SVG) return 'which is neither a PNG nor an SVG image';
  if (/<!ENTITY/i.test(text)) return 'which declares entities';
  return faultOf(root);
}

function faultOf(element: Element): string | undefined {
  // What drawing programs note for themselves is in namespaces of theirs, and is not drawn.
  if (element.namespaceURI !== SVG) {
    return element.namespaceURI === 'http://www.w3.org/1999/xhtml'
      ? `which has HTML in it (${element.tagName})`
      : undefined;
  }
  if (!ELEMENTS.has(element.localName ?? '')) return `which has an element ${element.tagName}`;
  for (const { name, localName, value } of [...element.attributes]) {
    if (/^on/i.test(name)) return `which has an event handler (${name})`;
    if (localName === 'href' && !/^(#|data:image\/(png|jpeg);)/.test(value))
      return `which refers to ${value.slice(0, 40)}`;
    if (leadsElsewhere(value)) return `which loads something from elsewhere (${name})`;
  }
  if (element.localName === 'style' && leadsElsewhere(element.textContent ?? '')) {
    return 'which loads something from elsewhere (style)';
  }
  const children = [...element.childNodes].filter((child): child is Element => child.nodeType === Node.ELEMENT_NODE);
  for (const child of children) {
    const fault = faultOf(child);
    if (fault) return fault;
  }
  return undefined;
}

/** In a style, a backslash may write any of these letters. */
function leadsElsewhere(style: string): boolean {
  return /@import|\\|javascript:/i.test(style) || /url\(\s*["']?(?!#)/i.test(style);
}
