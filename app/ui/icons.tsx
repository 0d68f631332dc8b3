/**
 * The icons of the look, 16 px with a stroke of 1.5, in the colour of their surroundings. They always stand beside
 * a word or in a button that has a name, so they say nothing to a screen reader.
 */
import {
  ArrowDown,
  Check,
  ChevronDown,
  ChevronLeft,
  ChevronRight,
  Copy,
  Ellipsis,
  type LucideIcon,
  type LucideProps,
  Menu,
  NotebookPen,
  NotebookText,
  PanelLeft,
  Pencil,
  Pin,
  PinOff,
  Plus,
  RotateCcw,
  Search,
  Settings,
  ShieldAlert,
  SlidersHorizontal,
  Trash2,
  TriangleAlert,
  Unplug,
  X,
} from "lucide-react";

/* @__NO_SIDE_EFFECTS__ */
function icon(Lucide: LucideIcon) {
  return function Icon({ size = 16, ...rest }: LucideProps) {
    return <Lucide size={size} strokeWidth={1.5} aria-hidden focusable={false} {...rest} />;
  };
}

export const ArrowDownIcon = icon(ArrowDown);
export const CheckIcon = icon(Check);
export const ChevronDownIcon = icon(ChevronDown);
export const ChevronLeftIcon = icon(ChevronLeft);
export const ChevronRightIcon = icon(ChevronRight);
export const CopyIcon = icon(Copy);
export const MoreIcon = icon(Ellipsis);
export const MenuIcon = icon(Menu);
export const NotebookPenIcon = icon(NotebookPen);
export const NotebookIcon = icon(NotebookText);
export const PanelLeftIcon = icon(PanelLeft);
export const PencilIcon = icon(Pencil);
export const PinIcon = icon(Pin);
export const UnpinIcon = icon(PinOff);
export const PlusIcon = icon(Plus);
export const AgainIcon = icon(RotateCcw);
export const SearchIcon = icon(Search);
export const SettingsIcon = icon(Settings);
export const BlockedIcon = icon(ShieldAlert);
export const SlidersIcon = icon(SlidersHorizontal);
export const DeleteIcon = icon(Trash2);
export const DangerIcon = icon(TriangleAlert);
export const UnpluggedIcon = icon(Unplug);
export const CloseIcon = icon(X);
