// HTML of Python's templates, in which every text of the data is escaped. Nothing that acts or loads comes in all the same.

const NEVER = "script, style, link, meta, base, iframe, frame, object, embed, form, img, video, audio, template";

/** An attribute that acts: a handler, or a link that is none. */
export function acts(name: string, value: string): boolean {
  if (/^(on|srcdoc)/i.test(name)) return true;
  return /^(href|src|xlink:href|action)$/i.test(name) && !/^(https?:|data:text\/csv[;,]|#)/i.test(value.trim());
}

/** The nodes of an HTML text. */
export function parsed(text: string): Node[] {
  const { body } = new DOMParser().parseFromString(text, "text/html");
  for (const element of body.querySelectorAll(NEVER)) element.remove();
  for (const element of body.querySelectorAll("*"))
    for (const { name, value } of [...element.attributes]) if (acts(name, value)) element.removeAttribute(name);
  return [...body.childNodes];
}
