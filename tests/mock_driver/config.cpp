// SPDX-License-Identifier: Apache-2.0
// Reads the configuration from JSON. Whatever is not understood gives one line and keeps its default.
#include "config.h"

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>

#include "tables.h"

namespace mock {
namespace {

using Json = nlohmann::json;

struct Names {
    const char* name;
    uint64_t value;
};
const Names kTypes[] = {{"other", 0}, {"integrated", 1}, {"discrete", 2}, {"virtual", 3}, {"cpu", 4}};
const Names kMemoryFlags[] = {{"deviceLocal", 1},     {"hostVisible", 2},      {"hostCoherent", 4},
                              {"hostCached", 8},      {"lazilyAllocated", 16}, {"protected", 32},
                              {"deviceCoherent", 64}, {"deviceUncached", 128}};
const Names kQueueFlags[] = {{"graphics", 1}, {"compute", 2}, {"transfer", 4}, {"sparse", 8}, {"protected", 16}};
const Names kModes[] = {{"off", 0}, {"counts", 1}, {"full", 2}};

class Reader {
  public:
    Reader(std::string origin, std::vector<std::string>* messages) : origin_(std::move(origin)), messages_(messages) {}

    void Complain(const std::string& where, const Json& value, const std::string& allowed) {
        messages_->push_back(origin_ + ": " + where + " is " + value.dump() + "; allowed: " + allowed +
                             "; the default is used");
    }

    using Handler = std::function<void(const std::string& where, const Json& value)>;
    using Handlers = std::map<std::string, Handler>;

    void Object(const std::string& where, const Json& json, const Handlers& handlers) {
        if (!json.is_object()) return Complain(where.empty() ? "the file" : where, json, "an object");
        for (const auto& [key, value] : json.items()) {
            const std::string path = where.empty() ? key : where + "." + key;
            const auto found = handlers.find(key);
            if (found != handlers.end()) {
                found->second(path, value);
                continue;
            }
            std::string allowed;
            for (const auto& handler : handlers) allowed += (allowed.empty() ? "" : ", ") + handler.first;
            messages_->push_back(origin_ + ": unknown key " + path + "; allowed: " + allowed + "; it is ignored");
        }
    }

    template <typename T>
    Handler Number(T* to) {
        return [this, to](const std::string& where, const Json& value) {
            if (!value.is_number_unsigned() || value.get<uint64_t>() > static_cast<uint64_t>(T(~T(0)))) {
                return Complain(where, value, "a whole number from 0 to " + std::to_string(T(~T(0))));
            }
            *to = value.get<T>();
        };
    }
    Handler Bool(bool* to) {
        return [this, to](const std::string& where, const Json& value) {
            if (!value.is_boolean()) return Complain(where, value, "true or false");
            *to = value.get<bool>();
        };
    }
    Handler String(std::string* to) {
        return [this, to](const std::string& where, const Json& value) {
            if (!value.is_string()) return Complain(where, value, "text");
            *to = value.get<std::string>();
        };
    }
    Handler Version(uint32_t* to) {
        return [this, to](const std::string& where, const Json& value) {
            unsigned major = 0;
            unsigned minor = 0;
            unsigned patch = 0;
            if (value.is_string() &&
                std::sscanf(value.get<std::string>().c_str(), "%u.%u.%u", &major, &minor, &patch) >= 2) {
                *to = VK_MAKE_API_VERSION(0, major, minor, patch);
            } else {
                Complain(where, value, "a version such as \"1.3.250\"");
            }
        };
    }
    Handler Strings(std::vector<std::string>* to) {
        return [this, to](const std::string& where, const Json& value) {
            if (!value.is_array() ||
                !std::all_of(value.begin(), value.end(), [](const Json& v) { return v.is_string(); })) {
                return Complain(where, value, "a list of texts");
            }
            *to = value.get<std::vector<std::string>>();
        };
    }
    template <size_t N>
    Handler OneOf(const Names (&names)[N], const std::function<void(uint64_t)>& set) {
        return [this, &names, set](const std::string& where, const Json& value) {
            std::string allowed;
            for (const Names& name : names) {
                if (value == name.name) return set(name.value);
                allowed += (allowed.empty() ? "" : ", ") + std::string(name.name);
            }
            Complain(where, value, allowed);
        };
    }
    template <size_t N>
    Handler Flags(const Names (&names)[N], VkFlags* to) {
        return [this, &names, to](const std::string& where, const Json& value) {
            VkFlags flags = 0;
            for (const Json& flag : value) {
                OneOf(names, [&flags](uint64_t bit) { flags |= static_cast<VkFlags>(bit); })(where, flag);
            }
            *to = flags;
        };
    }
    // A list of objects, each read by `one`.
    Handler List(const std::function<void(const std::string&, const Json&)>& one) {
        return [this, one](const std::string& where, const Json& value) {
            if (!value.is_array()) return Complain(where, value, "a list");
            for (size_t i = 0; i < value.size(); ++i) one(where + "[" + std::to_string(i) + "]", value[i]);
        };
    }

  private:
    std::string origin_;
    std::vector<std::string>* messages_;
};

bool AnyMember(const StructInfo* structs, uint32_t count, const std::string& name) {
    for (uint32_t i = 0; i < count; ++i) {
        for (uint32_t m = 0; m < structs[i].member_count; ++m) {
            if (name == structs[i].members[m].name) return true;
        }
    }
    return false;
}

bool IsProperty(const std::string& name) {
    return AnyMember(kPropertiesStructs, kPropertiesStructCount, name) || AnyMember(&kLimitsStruct, 1, name) ||
           AnyMember(&kSparsePropertiesStruct, 1, name) || name == "pipelineCacheUUID";
}

bool IsFeature(const std::string& name) {
    return AnyMember(kFeaturesStructs, kFeaturesStructCount, name) || AnyMember(&kCoreFeaturesStruct, 1, name);
}

// A UUID or LUID is written as hexadecimal digits, dashes allowed.
bool ParseHex(const std::string& text, PropertyValue* to) {
    std::string digits;
    for (const char c : text) {
        if (c != '-') digits += c;
    }
    if (digits.empty() || digits.size() % 2 != 0 ||
        digits.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos) {
        return false;
    }
    for (size_t i = 0; i < digits.size(); i += 2) {
        to->numbers.push_back(std::stoul(digits.substr(i, 2), nullptr, 16));
    }
    return true;
}

bool ToProperty(const std::string& name, const Json& value, PropertyValue* to) {
    const Json list = value.is_array() ? value : Json::array({value});
    for (const Json& v : list) {
        if (v.is_boolean()) {
            to->numbers.push_back(v.get<bool>() ? 1 : 0);
            to->reals.push_back(v.get<bool>() ? 1 : 0);
        } else if (v.is_number_integer() || v.is_number_unsigned()) {
            to->numbers.push_back(v.is_number_unsigned() ? v.get<uint64_t>() : static_cast<uint64_t>(v.get<int64_t>()));
            to->reals.push_back(v.get<double>());
        } else if (v.is_number_float()) {
            to->reals.push_back(v.get<double>());
            to->numbers.push_back(v.get<double>() < 0 ? 0 : static_cast<uint64_t>(v.get<double>()));
        } else if (v.is_string()) {
            const bool id = name.find("UUID") != std::string::npos || name.find("LUID") != std::string::npos;
            if (id && !ParseHex(v.get<std::string>(), to)) return false;
            if (!id) to->text = v.get<std::string>();
        } else {
            return false;
        }
    }
    return true;
}

Reader::Handler Property(Reader& r, DeviceConfig* d, const std::string& name) {
    return [&r, d, name](const std::string& where, const Json& value) {
        PropertyValue property;
        if (!ToProperty(name, value, &property))
            return r.Complain(where, value, "a number, a list, text or hex digits");
        d->properties[name] = property;
    };
}

Reader::Handler Properties(Reader& r, DeviceConfig* d, std::vector<std::string>* messages, const std::string& origin) {
    return [&r, d, messages, origin](const std::string& where, const Json& value) {
        if (!value.is_object()) return r.Complain(where, value, "an object");
        for (const auto& [name, v] : value.items()) {
            if (IsProperty(name)) {
                Property(r, d, name)(where + "." + name, v);
            } else {
                messages->push_back(origin + ": unknown key " + where + "." + name +
                                    "; allowed: members of VkPhysicalDeviceLimits and of the structures that extend "
                                    "VkPhysicalDeviceProperties2; it is ignored");
            }
        }
    };
}

DeviceConfig ReadDevice(Reader& r, const std::string& where, const Json& json, uint32_t index,
                        std::vector<std::string>* messages, const std::string& origin) {
    DeviceConfig d = DefaultDevice(index);
    std::vector<std::string> add;
    std::vector<std::string> remove;
    r.Object(
        where, json,
        {{"name", r.String(&d.name)},
         {"type", r.OneOf(kTypes, [&](uint64_t v) { d.type = static_cast<VkPhysicalDeviceType>(v); })},
         {"vendorID", r.Number(&d.vendor_id)},
         {"deviceID", r.Number(&d.device_id)},
         {"driverVersion", r.Number(&d.driver_version)},
         {"apiVersion", r.Version(&d.api_version)},
         {"deviceUUID", Property(r, &d, "deviceUUID")},
         {"driverUUID", Property(r, &d, "driverUUID")},
         {"deviceLUID", Property(r, &d, "deviceLUID")},
         {"driverID", Property(r, &d, "driverID")},
         {"driverName", Property(r, &d, "driverName")},
         {"driverInfo", Property(r, &d, "driverInfo")},
         {"conformanceVersion", Property(r, &d, "conformanceVersion")},
         {"pci",
          [&](const std::string& path, const Json& value) {
              r.Object(path, value,
                       {{"domain", Property(r, &d, "pciDomain")},
                        {"bus", Property(r, &d, "pciBus")},
                        {"device", Property(r, &d, "pciDevice")},
                        {"function", Property(r, &d, "pciFunction")}});
          }},
         {"limits", Properties(r, &d, messages, origin)},
         {"properties", Properties(r, &d, messages, origin)},
         {"features",
          [&](const std::string& path, const Json& value) {
              if (!value.is_object()) return r.Complain(path, value, "an object");
              for (const auto& [name, v] : value.items()) {
                  if (!IsFeature(name)) {
                      messages->push_back(origin + ": unknown key " + path + "." + name +
                                          "; allowed: members of VkPhysicalDeviceFeatures and of the structures that "
                                          "extend VkPhysicalDeviceFeatures2; it is ignored");
                  } else {
                      r.Bool (&d.features[name])(path + "." + name, v);
                  }
              }
          }},
         {"memoryHeaps",
          [&](const std::string& path, const Json& value) {
              d.heaps.clear();
              r.List([&](const std::string& at, const Json& heap) {
                  VkMemoryHeap h{};
                  bool local = false;
                  r.Object(at, heap, {{"size", r.Number(&h.size)}, {"deviceLocal", r.Bool(&local)}});
                  h.flags = local ? VK_MEMORY_HEAP_DEVICE_LOCAL_BIT : 0;
                  if (d.heaps.size() < VK_MAX_MEMORY_HEAPS) d.heaps.push_back(h);
              })(path, value);
          }},
         {"memoryTypes",
          [&](const std::string& path, const Json& value) {
              d.types.clear();
              r.List([&](const std::string& at, const Json& type) {
                  VkMemoryType t{};
                  r.Object(at, type,
                           {{"heap", r.Number(&t.heapIndex)}, {"flags", r.Flags(kMemoryFlags, &t.propertyFlags)}});
                  if (d.types.size() < VK_MAX_MEMORY_TYPES) d.types.push_back(t);
              })(path, value);
          }},
         {"queueFamilies",
          [&](const std::string& path, const Json& value) {
              d.families.clear();
              r.List([&](const std::string& at, const Json& family) {
                  VkQueueFamilyProperties f{0, 1, 64, {1, 1, 1}};
                  r.Object(at, family,
                           {{"flags", r.Flags(kQueueFlags, &f.queueFlags)},
                            {"count", r.Number(&f.queueCount)},
                            {"timestampValidBits", r.Number(&f.timestampValidBits)}});
                  d.families.push_back(f);
              })(path, value);
          }},
         {"extensions", r.Strings(&d.extensions)},
         {"addExtensions", r.Strings(&add)},
         {"removeExtensions", r.Strings(&remove)},
         {"bufferAlignment", r.Number(&d.buffer_alignment)},
         {"imageAlignment", r.Number(&d.image_alignment)},
         {"largeBufferAlignment", r.Number(&d.large_buffer_alignment)},
         {"smallImageAlignment", r.Number(&d.small_image_alignment)},
         {"bufferMemoryTypes", r.Number(&d.buffer_type_mask)},
         {"imageMemoryTypes", r.Number(&d.image_type_mask)},
         {"prefersDedicated", r.Bool(&d.prefers_dedicated)}});
    for (std::string& name : add) d.extensions.push_back(name);
    for (const std::string& name : remove) std::erase(d.extensions, name);
    for (uint64_t DeviceConfig::*member :
         {&DeviceConfig::buffer_alignment, &DeviceConfig::image_alignment, &DeviceConfig::large_buffer_alignment,
          &DeviceConfig::small_image_alignment}) {
        uint64_t& alignment = d.*member;
        if (alignment == 0 || (alignment & (alignment - 1)) != 0) {
            r.Complain(where + ": an alignment", alignment, "powers of two");
            alignment = DeviceConfig().*member;
        }
    }
    for (VkMemoryType& type : d.types) {
        if (type.heapIndex >= d.heaps.size()) {
            r.Complain(where + ".memoryTypes: heap", type.heapIndex, "0 to " + std::to_string(d.heaps.size() - 1));
            type.heapIndex = 0;
        }
    }
    if (d.heaps.empty() || d.types.empty()) {
        r.Complain(where + ".memoryHeaps or memoryTypes", Json::array(), "at least one");
        d.heaps = DefaultDevice(index).heaps;
        d.types = DefaultDevice(index).types;
    }
    return d;
}

}  // namespace

Config ParseConfig(const std::string& text, const std::string& origin, std::vector<std::string>* messages) {
    Config config = DefaultConfig();
    Json json;
    try {
        json = Json::parse(text);
    } catch (const Json::parse_error& error) {
        messages->push_back(origin + ": not JSON (" + error.what() + "); the defaults are used");
        return config;
    }
    Reader r(origin, messages);
    uint32_t count = 0;
    r.Object("", json,
             {{"apiVersion", r.Version(&config.api_version)},
              {"instanceExtensions", r.Strings(&config.extensions)},
              {"handleReuse", r.Bool(&config.handle_reuse)},
              {"recording", r.OneOf(kModes, [&](uint64_t v) { config.record_mode = static_cast<int>(v); })},
              {"deviceGroups", r.List([&](const std::string& where, const Json& value) {
                   std::vector<uint32_t> group;
                   r.List([&](const std::string& at, const Json& v) { r.Number (&group.emplace_back())(at, v); })(
                       where, value);
                   config.groups.push_back(group);
               })},
              {"deviceCount", r.Number(&count)},
              {"devices",
               [&](const std::string& where, const Json& value) {
                   config.devices.clear();
                   r.List([&](const std::string& at, const Json& v) {
                       const auto index = static_cast<uint32_t>(config.devices.size());
                       config.devices.push_back(ReadDevice(r, at, v, index, messages, origin));
                   })(where, value);
               }},
              {"fail", r.List([&](const std::string& where, const Json& value) {
                   FailureConfig f{"", 0, VK_ERROR_UNKNOWN};
                   r.Object(where, value,
                            {{"command", r.String(&f.command)},
                             {"call", r.Number(&f.call)},
                             {"result", [&](const std::string& at, const Json& v) {
                                  if (!v.is_string() || !ParseResult(v.get<std::string>(), &f.result)) {
                                      r.Complain(at, v, "the name of a VkResult");
                                  }
                              }}});
                   const CommandInfo* command = FindCommand(f.command.c_str());
                   if (command == nullptr || !command->returns_result) {
                       return r.Complain(where + ".command", f.command, "a command that returns VkResult");
                   }
                   config.failures.push_back(f);
               })}});
    for (auto i = static_cast<uint32_t>(config.devices.size()); i < count; ++i)
        config.devices.push_back(DefaultDevice(i));
    for (auto& group : config.groups) {
        std::erase_if(group, [&](uint32_t i) { return i >= config.devices.size(); });
        if (group.size() > VK_MAX_DEVICE_GROUP_SIZE) group.resize(VK_MAX_DEVICE_GROUP_SIZE);
    }
    return config;
}

}  // namespace mock
