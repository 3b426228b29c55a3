//! What the file wants counted in place of the module: `[count.<monitor>]`, beside what flags do.

use super::fault::Fault;
use super::file::{Table, Value, join};
use super::load::Loading;
use super::origin::Origin;
use crate::count::settings::{CountSettings, distinct};
use eddyline_wire::command::create::Create;

impl Loading<'_> {
    pub(super) fn counted(&mut self, table: &Table) -> Vec<Create> {
        let mut all = self.counted.to_vec();
        let sections = self.section(table, "count").map_or(&[][..], |(_, sections)| &sections.0);
        for item in sections {
            let path = join("count", &item.key);
            let Value::Table(written) = &item.value else {
                let why = format!("must be a section of its own, [{path}]");
                self.faults.push(Fault::at(self.file, item.line, &path, why));
                continue;
            };
            let settings = self.typed::<CountSettings>(path.clone(), item.line, written);
            self.effective.begin(Some(path.clone()));
            match self.told(settings, written).map(|settings| settings.create(&item.key)) {
                None => {}
                Some(Ok(create)) => all.push(create),
                Some(Err(why)) => self.faults.push(Fault::at(self.file, item.line, &path, why)),
            }
        }
        distinct(all).unwrap_or_else(|why| {
            self.faults.push(Fault::of_given(&Origin::Flag("--count".to_owned()), "count", why));
            Vec::new()
        })
    }
}
