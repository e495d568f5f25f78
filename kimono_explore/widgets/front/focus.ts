// The keyboard stays in a panel whatever is hidden or drawn anew there: it never falls to the page.

const MOVES = ["focusin", "pointerdown"];
const STOPS = 'a[href], summary, button, input, select, textarea, [tabindex="0"]';

export const usable = (element: HTMLElement): boolean => element.isConnected && element.getClientRects().length > 0;

export function firstIn(element: HTMLElement): HTMLElement | undefined {
  return [...element.querySelectorAll<HTMLElement>(STOPS)].find(usable);
}

export class Keeper {
  private at: HTMLElement | undefined; // what has, or had, the keyboard
  private way: HTMLElement[] = []; // what it is in, from inside out
  private wanted: HTMLElement | undefined;
  private waits = false;
  private readonly listener = (event: Event): void => this.follow(event);

  /** Moves within a shadow root are not heard of outside, those elsewhere not within. */
  constructor(private readonly root: HTMLElement) {
    for (const place of [root, document])
      for (const name of MOVES) place.addEventListener(name, this.listener, true);
  }

  end(): void {
    for (const name of MOVES) document.removeEventListener(name, this.listener, true);
  }

  /** Whether somebody works here, and not in another view of the same widget. */
  get busy(): boolean {
    return this.at !== undefined;
  }

  /** Something is wanted to have the keyboard: it does if somebody works here. */
  give(element: HTMLElement): void {
    this.wanted = element;
    this.soon();
  }

  /** Something changes: when all of it has, the keyboard is looked after. */
  soon(): void {
    if (this.waits) return;
    this.waits = true;
    queueMicrotask(() => {
      this.waits = false;
      this.settle();
    });
  }

  private follow(event: Event): void {
    const path = event.composedPath();
    const place = path.indexOf(this.root);
    if (place < 0) {
      this.at = undefined;
      return;
    }
    const inside = path.slice(0, place + 1).filter((one) => one instanceof HTMLElement) as HTMLElement[];
    this.at = inside[0];
    this.way = inside.slice(1);
  }

  private settle(): void {
    const { at, wanted } = this;
    this.wanted = undefined;
    if (!at) return;
    if (wanted && usable(wanted)) wanted.focus();
    else if (!usable(at) && !this.works()) this.next()?.focus();
  }

  /** Whether something in the panel has the keyboard, as a table gives it from cell to cell. */
  private works(): boolean {
    const { activeElement } = this.root.getRootNode() as Document | ShadowRoot;
    return activeElement instanceof HTMLElement && this.root.contains(activeElement) && usable(activeElement);
  }

  private next(): HTMLElement | undefined {
    for (const around of this.way) {
      const found = usable(around) ? firstIn(around) : undefined;
      if (found) return found;
    }
    return undefined;
  }
}
