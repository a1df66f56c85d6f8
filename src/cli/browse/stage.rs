//! What lies between a model and a terminal: two screens of cells, of which the second is drawn, and only what differs
//! from the first is sent.

use super::model::Model;
use super::view::view;
use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use ratatui_core::style::Modifier;
use std::fmt::Write;
use zeroize::Zeroizing;

/// The largest screen that is drawn, in columns and in rows.
const SIZE_MAX: u16 = 1000;

/// What the screen shows, as far as this program knows. Wiped on drop.
pub(super) struct Stage {
    shown: Buffer,
    next: Buffer,
    /// Whether the screen may show anything: all of it is drawn again.
    unknown: bool,
}

impl Stage {
    pub(super) fn new() -> Self {
        Self {
            shown: Buffer::empty(Rect::ZERO),
            next: Buffer::empty(Rect::ZERO),
            unknown: true,
        }
    }

    /// Forgets what the screen shows, and overwrites it here.
    pub(super) fn wipe(&mut self) {
        for cell in self.shown.content.iter_mut().chain(&mut self.next.content) {
            // A symbol lies within its cell, all of which this writes.
            cell.set_symbol(" ");
            cell.reset();
        }
        self.unknown = true;
    }

    /// What to send to a terminal so that it shows the model.
    pub(super) fn draw(&mut self, model: &Model) -> Zeroizing<String> {
        let area = Rect::new(0, 0, model.columns.clamp(1, SIZE_MAX), model.rows.clamp(1, SIZE_MAX));
        if self.shown.area != area {
            self.wipe();
            (self.shown, self.next) = (Buffer::empty(area), Buffer::empty(area));
        }
        self.next.content.iter_mut().for_each(|cell| cell.reset());
        let cursor = view(model, &mut self.next);
        let mut bytes = Zeroizing::new(String::with_capacity(
            usize::from(area.width) * usize::from(area.height) * 8,
        ));
        bytes.push_str("\x1b[?25l");
        if std::mem::take(&mut self.unknown) {
            self.shown.content.iter_mut().for_each(|cell| {
                cell.set_symbol(" ");
                cell.reset();
            });
            bytes.push_str("\x1b[0m\x1b[2J");
        }
        let (mut place, mut modifier) = (None, Modifier::empty());
        for (x, y, cell) in self.shown.diff_iter(&self.next) {
            if place != Some((x, y)) {
                let _ = write!(bytes, "\x1b[{};{}H", y + 1, x + 1);
            }
            if cell.modifier != modifier {
                modifier = cell.modifier;
                bytes.push_str("\x1b[0");
                sgr(modifier).for_each(|code| bytes.push_str(code));
                bytes.push('m');
            }
            bytes.push_str(cell.symbol());
            let width = unicode_width::UnicodeWidthStr::width(cell.symbol()) as u16;
            place = Some((x + width.max(1), y));
        }
        bytes.push_str("\x1b[0m");
        if let Some((x, y)) = cursor {
            let _ = write!(bytes, "\x1b[{};{}H\x1b[?25h", y + 1, x + 1);
        }
        std::mem::swap(&mut self.shown, &mut self.next);
        bytes
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.wipe();
    }
}

/// Parameters that set what is set (ECMA-48, 8.3.117).
fn sgr(modifier: Modifier) -> impl Iterator<Item = &'static str> {
    let codes = [
        (Modifier::BOLD, ";1"),
        (Modifier::DIM, ";2"),
        (Modifier::ITALIC, ";3"),
        (Modifier::UNDERLINED, ";4"),
        (Modifier::REVERSED, ";7"),
        (Modifier::CROSSED_OUT, ";9"),
    ];
    codes
        .into_iter()
        .filter(move |(one, _)| modifier.contains(*one))
        .map(|(_, code)| code)
}
