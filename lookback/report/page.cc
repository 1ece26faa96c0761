#include "lookback/report/page.h"

#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "lookback/base/file.h"
#include "lookback/report/attention_data.h"
#include "lookback/report/frames_data.h"
#include "lookback/report/lens_data.h"
#include "lookback/report/study_data.h"
#include "lookback/study/manifest.h"

namespace lookback::report {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::string_view title_place = "{{title}}";
constexpr std::string_view data_place =
    R"(<script type="application/json" id="study-data"></script>)";
constexpr std::string_view data_open = R"(<script type="application/json" id="study-data">)";
constexpr std::string_view data_close = "</script>";
/// JSON that cannot end or comment out the script element around it. '<' occurs in JSON only within
/// strings, where the escape means the same.
std::string to_script_text(const json& value) {
  const std::string text = to_text(value);
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    if (c == '<') {
      escaped += "\\u003c";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string escape_html(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

Status write_specification(const fs::path& directory, const json& shown) {
  const fs::path path = directory / (shown["id"].get<std::string>() + ".vl.json");
  return base::write_file_atomically(path, to_text(shown["spec"]) + "\n");
}

/// Lists the page and the figures beside it in the study's manifest, and drops those that no longer
/// exist.
Status list_report(const fs::path& directory) {
  std::vector<std::string> names = {"report.html"};
  std::error_code error;
  for (fs::recursive_directory_iterator entry(directory / "figures", error), end;
       !error && entry != end; entry.increment(error)) {
    if (entry->path().extension() == ".json") {
      names.push_back(entry->path().lexically_relative(directory).generic_string());
    }
  }
  if (error) {
    return base::system_error("list", directory / "figures", error.value());
  }
  Status forgotten = study::update_manifest(directory, [](study::Manifest& manifest) {
    std::erase_if(manifest.files,
                  [](const auto& file) { return file.first.starts_with("figures/"); });
  });
  return forgotten ? study::list_files(directory, names) : forgotten;
}

Status write_figures(const fs::path& directory, const json& figures) {
  if (Status status = base::make_directories(directory); !status) return status;
  for (const json& one : figures) {
    for (const json& shown : one["variants"]) {
      if (Status status = write_specification(directory, shown); !status) return status;
    }
  }
  return {};
}

/// The figures of every arm's first model, each arm in a separate folder.
Status write_lens_figures(const fs::path& directory, const json& data) {
  std::set<std::size_t> written;
  for (const json& run : data["lens"]) {
    const auto arm = run["arm"].get<std::size_t>();
    if (!written.insert(arm).second) continue;
    const fs::path folder = directory / data["arms"][arm]["name"].get<std::string>();
    if (Status status = base::make_directories(folder); !status) return status;
    for (const json& one : run["figures"]) {
      for (const json& shown : one["variants"]) {
        for (const json& panel : shown["panels"]) {
          if (Status status = write_specification(folder, panel); !status) return status;
        }
      }
    }
  }
  return {};
}

}  // namespace

std::string to_text(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<json> page_data(const StudyReport& study) {
  std::vector<std::string> notes = study.notes;
  Result<json> lens = lens_data(study, LensLimits{}, notes);
  if (!lens) return lens.error();
  json data = study_data(study, notes);
  data["attention"] = attention_data(study);
  data["lens"] = std::move(*lens);
  data["frames"] = frames_data(study);
  return data;
}

Result<std::string> fill_page(std::string_view page_template, std::string_view title,
                              const json& data) {
  const std::size_t title_at = page_template.find(title_place);
  const std::size_t data_at = page_template.find(data_place);
  if (title_at == std::string_view::npos || data_at == std::string_view::npos ||
      data_at < title_at) {
    return Error{"page template: no place for the study's data (a build of web/ has one)"};
  }
  const std::size_t between = title_at + title_place.size();
  std::string page(page_template.substr(0, title_at));
  page += escape_html(title);
  page += page_template.substr(between, data_at - between);
  page += data_open;
  page += to_script_text(data);
  page += data_close;
  page += page_template.substr(data_at + data_place.size());
  return page;
}

Result<fs::path> write_report(const fs::path& directory, const StudyReport& study,
                              std::string_view page_template) {
  const Result<json> data = page_data(study);
  if (!data) return data.error();
  const std::string title = study.name.empty() ? "lookback" : study.name + " - lookback";
  const Result<std::string> page = fill_page(page_template, title, *data);
  if (!page) return page.error();
  if (Status status = write_figures(directory / "figures", (*data)["figures"]); !status) {
    return status.error();
  }
  if (Status status = write_lens_figures(directory / "figures", *data); !status) {
    return status.error();
  }
  const fs::path path = directory / "report.html";
  if (Status status = base::write_file_atomically(path, *page); !status) return status.error();
  if (Status status = list_report(directory); !status) return status.error();
  return path;
}

}  // namespace lookback::report
